/* SPDX-License-Identifier: MIT */
/*
 * The compilation units of a file's DWARF information, by address, and the functions of those that were asked for.
 *
 * Entries are walked one behind the other, as they stand in the file: libdw's own way from an entry to its sibling goes
 * around in circles where a file says so. libdw decodes their attributes.
 */
#ifndef IMAGE_DEBUG_UNITS_H
#define IMAGE_DEBUG_UNITS_H

#include "base/table.h"
#include "debug_sections.h"

#include <elfutils/libdw.h>

/* Code of a function (or of a unit), and which one that is. */
struct debug_range {
    uint64_t low;
    uint64_t high;  /* behind it */
    uint64_t owner; /* index of the unit, or offset of the function's entry */
};

struct debug_ranges {
    struct debug_range *items; /* by address */
    uint32_t count, capacity;
};

struct debug_unit {
    Dwarf_Off first;  /* the offset of its first entry, which stands for the unit */
    Dwarf_Off end;    /* behind its last one */
    uint32_t version; /* of DWARF */
    uint32_t offset_len;
    bool is_read;      /* its functions are known */
    bool has_lines;    /* that may be looked at; known when is_read */
    bool has_no_entry; /* of a function: they are in another file */
    struct debug_ranges functions;
};

/* The code that was inlined into one function. */
struct debug_inlines {
    Dwarf_Off function;
    struct debug_ranges ranges; /* in the order in which they stand in the file: the outer ones come first */
};

struct debug_units {
    Dwarf *dwarf;
    struct debug_sections *sections;
    struct debug_unit *items;
    uint32_t count, capacity;
    struct debug_ranges ranges;
    struct debug_inlines *inlines; /* of functions that were asked for */
    uint32_t inlines_count, inlines_capacity;
    struct table inlines_by_function;
    uint32_t ranges_left; /* that may still be kept, of all kinds */
    uint64_t spent_ns;    /* on all that was asked so far */
    uint64_t deadline_ns; /* of what is being asked; see debug_units_begin() */
};

/* Lists the units. False without memory. */
bool debug_units_init(struct debug_units *units, Dwarf *dwarf, struct debug_sections *sections);
void debug_units_deinit(struct debug_units *units);

/* All that is done between these two counts for how long a file may take. False when it has taken too long already. */
bool debug_units_begin(struct debug_units *units);
void debug_units_end(struct debug_units *units);
bool debug_units_have_time(const struct debug_units *units);

/* The unit that has code at an address, with its functions; NULL when there is none. */
const struct debug_unit *debug_units_find(struct debug_units *units, uint64_t address);

/* The item that holds an address, the nearest one of several; NULL when there is none. */
const struct debug_range *debug_ranges_find(const struct debug_ranges *ranges, uint64_t address);

/* What was inlined into the function whose entry this is; NULL without memory. Valid until the next call. */
const struct debug_ranges *debug_units_inlines(struct debug_units *units, const struct debug_unit *unit,
                                               Dwarf_Off function);

#endif
