/* SPDX-License-Identifier: MIT */
/*
 * Which pieces of memory a core file has, and where in the file.
 */
#ifndef CORE_SEGMENTS_H
#define CORE_SEGMENTS_H

#include "base/error.h"
#include "memory/memory.h"

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment {
    remote_addr start, end;
    uint64_t file_offset;
    uint64_t dumped_len; /* bytes from start on that were written into the file */
    uint32_t flags;      /* PF_R, PF_W, PF_X */
};

struct segments {
    struct segment *rows; /* by address, not overlapping */
    uint32_t count, capacity;
    uint64_t file_len;
    uint64_t needed_len; /* what the file should have at least; more than file_len: it was cut off */
};

struct error *segments_read(struct segments *segments, Elf *elf, uint64_t file_len);

/* Accepts a zeroed struct. */
void segments_deinit(struct segments *segments);

/* The segment that holds an address, or NULL. */
const struct segment *segments_find(const struct segments *segments, remote_addr address);

/*
 * How many of the len bytes at an address the file has in one piece, and where. 0: the address is in no segment, was
 * not dumped, or is in the part that was cut off.
 */
uint64_t segments_locate(const struct segments *segments, remote_addr address, uint64_t len, uint64_t *ret_offset);

#endif
