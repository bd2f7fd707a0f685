/* SPDX-License-Identifier: MIT */
/*
 * Location tables, from CPython 3.11 on: which lines and columns of the source an instruction belongs to. Entry by
 * entry, in the order of the instructions. The bytes come from the target and may be anything.
 */
#ifndef PYTHON_LOCATIONS_H
#define PYTHON_LOCATIONS_H

#include "python/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the instructions from start to end (bytes, the end not included) share. */
struct location {
    uint32_t start, end;
    bool has_position;
    struct python_position position; /* line 0 for none; what a module begins with is in line 0 as well */
};

/* Goes through a table; made by locations_begin(). */
struct location_reader {
    const unsigned char *at, *table_end;
    uint32_t offset; /* of the next entry's first instruction */
    int32_t line;    /* of the last entry that had one */
};

/* The table must outlive the reader. */
struct location_reader locations_begin(const unsigned char *table, size_t len, int32_t first_line);

/* Reads one more entry; what a broken one lacks counts as 0. Returns false at the end. */
bool locations_next(struct location_reader *reader, struct location *ret);

/* The position of the instruction at an offset in bytes. Returns false when the table has none for it. */
bool position_find(const unsigned char *table, size_t len, int32_t first_line, int64_t offset,
                   struct python_position *ret);

/* Lines and columns are kept within an int whatever a table says. */
static inline int32_t add_within_int(int32_t number, int64_t delta)
{
    int64_t sum = (int64_t)number + delta;
    if (sum > INT32_MAX)
        return INT32_MAX;
    return sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

#endif
