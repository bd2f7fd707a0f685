/* SPDX-License-Identifier: MIT */
/* Who called what took time itself, level by level. */
#ifndef SCREEN_CALLER_LIST_H
#define SCREEN_CALLER_LIST_H

#include "shape.h"

#include <stdbool.h>
#include <stdint.h>

/* A node that took time itself, and how far up its callers have been followed. */
struct caller_pair {
    uint32_t leaf, node;
};

/* Some pairs that stand side by side, whose nodes have the same key. */
struct caller_range {
    uint32_t row; /* of the shape, whose nodes are the leaves: while nothing was followed yet, count is 0 */
    uint32_t first, count;
    uint32_t key;
    bool has_callers;
    struct shape_amount amount; /* of the leaves */
};

struct caller_list {
    struct caller_pair *pairs;
    uint32_t count, capacity;
};

/* Accepts a zeroed struct. */
void caller_list_deinit(struct caller_list *list);

/* Whether anything of a row of the shape that took time itself was called. */
bool caller_list_has_callers(const struct shape *shape, uint32_t row);

/* The callers of a range, as a malloc'ed array. False without memory. */
bool caller_list_find(struct caller_list *list, const struct shape *shape, const struct caller_range *range,
                      struct caller_range **ret, uint32_t *ret_count);

#endif
