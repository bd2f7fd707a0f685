/* SPDX-License-Identifier: MIT */
/*
 * The call tree of a profile, laid out for reading: totals, and every node's children in one run of an array.
 *
 * It is a picture of the profile at the time it was made; the profile must not change or go away while it is used.
 */
#ifndef PROFILE_CALLTREE_H
#define PROFILE_CALLTREE_H

#include "base/error.h"

#include <stdint.h>

struct profile;

struct calltree_node {
    uint32_t node; /* of the profile */
    uint32_t frame;
    uint32_t first_child; /* index into nodes; children stand side by side */
    uint32_t child_count;
    uint32_t depth; /* 0 for the root */
    uint64_t self;
    uint64_t total;
};

struct calltree {
    struct calltree_node *nodes; /* breadth first; nodes[0] is the root */
    uint32_t count;
    uint32_t depth; /* greatest depth of any node */
};

/* Lays the tree out; siblings are sorted by label (name, then file, then line), so that equal profiles give equal
 * trees. */
struct error *calltree_init(struct calltree *tree, const struct profile *profile);

/* Accepts a zeroed struct. */
void calltree_deinit(struct calltree *tree);

#define cleanup_calltree __attribute__((cleanup(calltree_deinit)))

#endif
