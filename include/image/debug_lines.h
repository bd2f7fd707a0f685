/* SPDX-License-Identifier: MIT */
/*
 * Lines of source code, and functions that were inlined, from the DWARF information of an ELF file (or of its debug
 * file): what is looked at is only what belongs to the addresses that are asked for.
 *
 * libdw reads the DWARF information. It opens files that a DWARF file names, goes around in circles when told to, and
 * takes any amount of memory; so it is kept from the first, is never asked for what can do the second, and gets nothing
 * that would take the third. What exceeds a limit has no lines, nothing else.
 */
#ifndef IMAGE_DEBUG_LINES_H
#define IMAGE_DEBUG_LINES_H

#include "base/error.h"
#include "image/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEBUG_PLACE_LIMIT = 64 }; /* functions that are inlined into each other, with the one that they are in */

/* A line that an address belongs to, in one of the functions. Texts are valid as long as the lines are. */
struct debug_place {
    const char *name; /* as the linker has it or, in C, the compiler; "" when not known */
    const char *file; /* as the compiler named it; "" when not known */
    int32_t line;     /* 0: not known */
};

struct debug_lines;

/*
 * Opens the DWARF information of a file; NULL is returned as *ret when there is none that can be used. The image must
 * outlive it. The only failure is that of memory.
 */
struct error *debug_lines_create(const struct image *image, struct debug_lines **ret);

/* Accepts NULL. */
void debug_lines_destroy(struct debug_lines *lines);

/*
 * Finds what is executed at an address of the file: the innermost inlined function first, and the function that has
 * the code last. Returns how many there are; 0 when nothing is known.
 */
uint32_t debug_lines_find(struct debug_lines *lines, uint64_t address, struct debug_place ret[DEBUG_PLACE_LIMIT]);

/* The folder in which the compiler ran for that address: what files without a leading slash are in; "" when not known.
 */
const char *debug_lines_folder(struct debug_lines *lines, uint64_t address);

static inline void cleanup_debug_lines_destroy(struct debug_lines **lines)
{
    debug_lines_destroy(*lines);
}

#define cleanup_debug_lines __attribute__((cleanup(cleanup_debug_lines_destroy)))

#endif
