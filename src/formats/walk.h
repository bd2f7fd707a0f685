/* SPDX-License-Identifier: MIT */
/*
 * A depth-first walk of a call tree that knows where each node's box starts, counted in samples from the left: a node's
 * own samples stand left of its children.
 *
 *     do {
 *         ... walk.node, walk.depth, walk.start ...
 *     } while (wants_children ? walk_into(&walk) : walk_past(&walk));
 */
#ifndef FORMATS_WALK_H
#define FORMATS_WALK_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct calltree;

struct walk {
    const struct calltree *tree;
    uint32_t *path; /* the node at each depth, from the root down to the current one */
    uint32_t node;
    uint32_t depth;
    uint64_t start;
};

/* Starts at the root. */
struct error *walk_init(struct walk *walk, const struct calltree *tree);

/* Accepts a zeroed struct. */
void walk_deinit(struct walk *walk);

/* Goes to the first child; when there is none, as walk_past(). Returns false at the end, and stays. */
bool walk_into(struct walk *walk);

/* Goes to the next node that is no descendant of the current one. Returns false at the end, and stays. */
bool walk_past(struct walk *walk);

#define cleanup_walk __attribute__((cleanup(walk_deinit)))

#endif
