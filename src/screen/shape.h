/* SPDX-License-Identifier: MIT */
/*
 * Stacks as they are to be told apart: by function or by line, by thread or by process or not at all. A shape grows
 * with the stacks; what is told apart in another way is another shape.
 */
#ifndef SCREEN_SHAPE_H
#define SCREEN_SHAPE_H

#include "base/table.h"
#include "screen/rows.h"

#include <stdbool.h>
#include <stdint.h>

struct profile;
struct stacks;

enum {
    SHAPE_ROOT = 0,
    SHAPE_NONE = UINT32_MAX,
};

/* Samples since the beginning, and in the last step. */
struct shape_amount {
    uint64_t all, now;
};

/* A node of the tree: a frame, or the root of a group. Parents have smaller numbers. */
struct shape_node {
    uint32_t parent;
    uint32_t key;      /* a frame that stands for all that are the same here; PROFILE_NONE for roots */
    uint32_t group;    /* a thread or process; SHAPE_NONE where groups are put together */
    uint32_t row;      /* what counts all nodes of the same key and group */
    bool is_outermost; /* none of its callers has the same key */
    uint32_t first_child, next_sibling;
    struct shape_amount self, total;
};

/* All nodes of the same key and group. */
struct shape_row {
    uint32_t key, group;
    struct shape_amount self, total;
};

struct shape {
    const struct profile *profile;
    bool by_line;
    enum model_grouping grouping;
    struct shape_node *nodes;
    uint32_t count, capacity;
    struct table node_table;
    struct shape_row *rows;
    uint32_t row_count, row_capacity;
    struct table row_table;
    uint32_t *of_stack;
    uint32_t stack_count, stack_capacity;
    uint32_t *functions; /* frame -> the first frame of the same function */
    uint32_t function_count, function_capacity;
    struct table function_table;
};

bool shape_init(struct shape *shape, const struct profile *profile, bool by_line, enum model_grouping grouping);

/* Accepts a zeroed struct. */
void shape_deinit(struct shape *shape);

/* Adds what is new in the stacks, and sums the samples of the classes up (bit n: class n). False without memory. */
bool shape_sum(struct shape *shape, const struct stacks *stacks, unsigned classes);

#endif
