/* SPDX-License-Identifier: MIT */
/*
 * The mappings of a target, parsed from the text of /proc/PID/maps. Whose text it is, is the caller's business.
 */
#ifndef MEMORY_MAPS_H
#define MEMORY_MAPS_H

#include "base/error.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One line, for example
 *
 *     7f1c2a000000-7f1c2a1d0000 r-xp 00001000 fd:00 131 /usr/lib/libpython3.11.so.1.0 (deleted)
 */
struct mapping {
    remote_addr start;
    remote_addr end;
    uint64_t offset; /* in the file, bytes */
    uint64_t inode;  /* 0: no file */
    bool readable;
    bool writable;
    bool executable;
    bool is_deleted;  /* the kernel marked the path with " (deleted)", which is not part of path */
    const char *path; /* as the target sees it; "" for anonymous memory; owned by the maps */
};

struct maps {
    struct mapping *mappings; /* by address, not overlapping */
    uint32_t count;
    uint32_t capacity;
    char *text; /* the paths point into it */
};

/*
 * Parses the text of a maps file. A line that is not understood, or that does not stand in ascending order, is passed
 * over; a backslash escape of three octal digits in a path (the kernel writes a newline as \012) is undone.
 */
struct error *maps_init(struct maps *maps, const char *text, size_t len);

/* Accepts a zeroed struct. */
void maps_deinit(struct maps *maps);

/* The mapping that holds an address, or NULL. */
const struct mapping *maps_find(const struct maps *maps, remote_addr address);

/* Whether two mappings are of one file. */
bool mapping_is_same_file(const struct mapping *a, const struct mapping *b);

/*
 * The mapping that tells where a mapping's file was loaded: that of its code, if there is one. Data does not tell, as a
 * file may also have been mapped to be read.
 */
const struct mapping *maps_find_code(const struct maps *maps, const struct mapping *mapping);

/* The last component of a mapping's path. */
const char *mapping_name(const struct mapping *mapping);

#define cleanup_maps __attribute__((cleanup(maps_deinit)))

#endif
