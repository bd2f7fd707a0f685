/* SPDX-License-Identifier: MIT */
/*
 * Line tables: which line of the source an instruction belongs to. Each of CPython's formats is decoded once per
 * code object into a sorted array. The bytes come from the target and may be anything.
 */
#ifndef PYTHON_LINES_H
#define PYTHON_LINES_H

#include "layout.h"

#include <stddef.h>
#include <stdint.h>

/* From this offset in the instructions on (bytes), up to the next range's, the line is this. */
struct line_range {
    uint32_t start;
    int32_t line; /* 0: these instructions belong to no line */
};

struct lines {
    struct line_range *ranges; /* by start; NULL when there are none */
    uint32_t count;
    uint32_t capacity;
    int32_t first_line; /* co_firstlineno */
};

/* Decodes a table; what stands behind a broken entry is left out. Returns false without memory. */
bool lines_init(struct lines *lines, enum line_format format, const unsigned char *table, size_t len,
                int32_t first_line);

/* Accepts a zeroed struct. */
void lines_deinit(struct lines *lines);

/*
 * The line of the instruction at an offset in bytes; negative for a frame that has not started. first_line where the
 * table does not say.
 */
int32_t lines_find(const struct lines *lines, int64_t offset);

#endif
