/* SPDX-License-Identifier: MIT */
/*
 * Opening the ELF files that a live process runs.
 */
#ifndef TARGET_PROCESS_IMAGES_H
#define TARGET_PROCESS_IMAGES_H

#include "base/error.h"
#include "image/loaded_image.h"
#include "memory/maps.h"

struct process;

/* Opens the file of a mapping and works out its load bias from the file's first mapping. */
struct error *process_open_image(const struct process *process, const struct maps *maps, const struct mapping *mapping,
                                 struct loaded_image *ret);

/* The first mapping of the process's executable, or NULL. */
const struct mapping *process_executable_mapping(const struct process *process, const struct maps *maps);

/* The first mapping of the first file whose name (without folders) begins with the prefix, or NULL. */
const struct mapping *process_library_mapping(const struct maps *maps, const char *prefix);

#endif
