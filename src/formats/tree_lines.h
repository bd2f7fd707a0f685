/* SPDX-License-Identifier: MIT */
/*
 * The lines of a text tree from top to bottom: visible rows, each below the nearest visible one that it is called by.
 */
#ifndef FORMATS_TREE_LINES_H
#define FORMATS_TREE_LINES_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct functions;
struct tree_options;
struct tree_rows;

enum tree_line_kind {
    LINE_ROW,
    LINE_SELF,   /* what a row spent itself, where others below it had time as well */
    LINE_HIDDEN, /* says what is hidden below a row */
};

struct tree_line {
    enum tree_line_kind kind;
    uint32_t row;
    uint32_t depth; /* 0 for what no other line is above */
    bool is_last;   /* no line of the same parent follows */
    uint64_t time;  /* that lines of one parent are sorted by, in samples */
};

struct tree_lines {
    struct tree_line *lines;
    uint32_t count, capacity;
    uint32_t deep_count; /* rows that were left out because they are too deep */
};

struct error *tree_lines_init(struct tree_lines *lines, const struct tree_rows *rows, const struct functions *functions,
                              const struct tree_options *options);

/* Accepts a zeroed struct. */
void tree_lines_deinit(struct tree_lines *lines);

#define cleanup_tree_lines __attribute__((cleanup(tree_lines_deinit)))

#endif
