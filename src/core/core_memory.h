/* SPDX-License-Identifier: MIT */
/*
 * Reading the memory of a core: from the file, and where it has nothing from the files that were mapped.
 */
#ifndef CORE_CORE_MEMORY_H
#define CORE_CORE_MEMORY_H

#include "core_parts.h"

#include <stddef.h>

void core_memory_init(struct core *core);

/* Reads what the core file itself has, from an address on; returns how many bytes of len that are. */
size_t core_read_dumped(const struct core *core, remote_addr address, void *destination, size_t len);

/* Opens a mapped file, if that was not tried before; see mapped_files_open(). */
enum file_state core_open_file(struct core *core, uint32_t file);

#endif
