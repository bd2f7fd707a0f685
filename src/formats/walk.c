/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include "profile/calltree.h"

#include <stdlib.h>

struct error *walk_init(struct walk *walk, const struct calltree *tree)
{
    *walk = (struct walk){.tree = tree};
    walk->path = calloc(tree->depth + (size_t)1, sizeof(*walk->path));
    return walk->path ? NULL : error_no_memory();
}

void walk_deinit(struct walk *walk)
{
    free(walk->path);
    *walk = (struct walk){0};
}

static bool is_last_sibling(const struct walk *walk, uint32_t depth)
{
    if (depth == 0)
        return true;
    const struct calltree_node *parent = &walk->tree->nodes[walk->path[depth - 1]];
    return walk->path[depth] + 1 == parent->first_child + parent->child_count;
}

static void stand_at(struct walk *walk, uint32_t depth, uint32_t node)
{
    walk->depth = depth;
    walk->path[depth] = node;
    walk->node = node;
}

/* The next sibling of the current node or of its nearest ancestor that has one. */
static bool go_on(struct walk *walk, uint64_t passed)
{
    uint32_t depth = walk->depth;
    while (depth > 0 && is_last_sibling(walk, depth))
        depth--;
    if (depth == 0)
        return false;
    walk->start += passed;
    stand_at(walk, depth, walk->path[depth] + 1);
    return true;
}

bool walk_into(struct walk *walk)
{
    const struct calltree_node *node = &walk->tree->nodes[walk->node];
    if (node->child_count == 0)
        return walk_past(walk);
    walk->start += node->self;
    stand_at(walk, walk->depth + 1, node->first_child);
    return true;
}

bool walk_past(struct walk *walk)
{
    return go_on(walk, walk->tree->nodes[walk->node].total);
}
