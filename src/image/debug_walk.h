/* SPDX-License-Identifier: MIT */
/*
 * Walking over the entries of a unit one behind the other, as they stand in the file. libdw decodes their attributes,
 * but its own way from an entry to its sibling goes around in circles where a file says so.
 */
#ifndef IMAGE_DEBUG_WALK_H
#define IMAGE_DEBUG_WALK_H

#include "debug_clock.h"
#include "debug_sections.h"

#include <elfutils/libdw.h>

/* The entries of a unit. */
struct debug_extent {
    Dwarf_Off first;
    Dwarf_Off end;    /* behind the last one */
    uint16_t version; /* of DWARF */
    uint8_t offset_len;
};

/* One entry, as it was met. */
struct debug_entry {
    Dwarf_Die die;
    Dwarf_Off end;     /* of the entry itself */
    Dwarf_Off sibling; /* what comes behind its children, if the file says so; else 0 */
    int tag;
    bool has_children;
    bool has_code;
};

/* Where a walk over a unit's entries is. */
struct debug_walk {
    Dwarf *dwarf;
    struct bytes info; /* .debug_info */
    const struct debug_clock *clock;
    struct debug_extent extent;
    Dwarf_Off at;
    uint32_t depth; /* how many entries the next one is in, from where the walk began */
    uint32_t left;  /* entries that may still be looked at */
};

/* Begins at an entry, when the first four members are set. */
void debug_walk_begin(struct debug_walk *walk, Dwarf_Off entry);

/*
 * Takes the next entry; false behind the one that the walk began at and all that is in it, or when a limit is reached.
 * walk->depth is then that of its children.
 */
bool debug_walk_next(struct debug_walk *walk, struct debug_entry *ret);

/* Passes over an entry's children, if the file says where they end; else they come next. */
void debug_walk_skip(struct debug_walk *walk, const struct debug_entry *entry);

#endif
