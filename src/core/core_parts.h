/* SPDX-License-Identifier: MIT */
/*
 * What a core is made of.
 */
#ifndef CORE_CORE_PARTS_H
#define CORE_CORE_PARTS_H

#include "core/core.h"
#include "mapped_files.h"
#include "notes.h"
#include "segments.h"

struct core {
    struct memory memory; /* must be first */
    int fd;               /* of what is read: the core file, or what it unpacked to */
    bool is_damaged;      /* it did not unpack whole */
    const struct core_files *how;
    struct segments segments;
    struct notes notes;
    struct mapped_files files;
    struct maps maps;
    struct core_process process;
    uint64_t missed_count; /* reads of memory that was mapped, and cannot be had */
    remote_addr first_missed;
};

#endif
