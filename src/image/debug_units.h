/* SPDX-License-Identifier: MIT */
/*
 * The compilation units of a file's DWARF information, by address, and the functions of those that were asked for.
 */
#ifndef IMAGE_DEBUG_UNITS_H
#define IMAGE_DEBUG_UNITS_H

#include "base/table.h"
#include "debug_walk.h"

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
    struct debug_extent extent; /* the first entry stands for the unit */
    bool is_read;               /* its functions are known */
    bool has_lines;             /* that may be looked at; known when is_read */
    bool has_no_entry;          /* of a function: they are in another file */
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
    uint32_t ranges_left;     /* that may still be kept, of all kinds */
    struct debug_clock clock; /* runs while anything is asked */
};

/* Lists the units, while the clock runs. False without memory. */
bool debug_units_init(struct debug_units *units, Dwarf *dwarf, struct debug_sections *sections);
void debug_units_deinit(struct debug_units *units);

/* The unit that has code at an address, with its functions; NULL when there is none. */
const struct debug_unit *debug_units_find(struct debug_units *units, uint64_t address);

/* The item that holds an address, the nearest one of several; NULL when there is none. */
const struct debug_range *debug_ranges_find(const struct debug_ranges *ranges, uint64_t address);

/* What was inlined into the function whose entry this is; NULL without memory. Valid until the next call. */
const struct debug_ranges *debug_units_inlines(struct debug_units *units, const struct debug_unit *unit,
                                               Dwarf_Off function);

#endif
