/* SPDX-License-Identifier: MIT */
#include "profile/calltree.h"

#include "base/cleanup.h"
#include "profile/profile.h"

#include <string.h>

/* What laying out needs: the profile's nodes, and which of them stand at each place of the tree. */
struct layout_work {
    const struct profile *profile;
    const struct profile_node *nodes;
    uint64_t *totals;      /* of each node of the profile */
    uint32_t *first_child; /* of each node of the profile: the first of a linked list */
    uint32_t *next_sibling;
    uint32_t *order; /* place in the tree -> node of the profile */
};

static int compare_strings(const struct profile *profile, uint32_t a, uint32_t b)
{
    if (a == b)
        return 0;
    size_t len_a, len_b;
    const char *text_a = profile_string(profile, a, &len_a);
    const char *text_b = profile_string(profile, b, &len_b);
    int order = memcmp(text_a, text_b, len_a < len_b ? len_a : len_b);
    if (order != 0)
        return order;
    return (len_a > len_b) - (len_a < len_b);
}

static int compare_frames(const struct profile *profile, const struct profile_frame *a, const struct profile_frame *b)
{
    int order = compare_strings(profile, a->name, b->name);
    if (order == 0)
        order = compare_strings(profile, a->file, b->file);
    if (order == 0)
        order = (a->line > b->line) - (a->line < b->line);
    return order;
}

static int compare_siblings(const void *a, const void *b, void *context)
{
    const struct layout_work *work = context;
    const struct profile_node *node_a = &work->nodes[*(const uint32_t *)a];
    const struct profile_node *node_b = &work->nodes[*(const uint32_t *)b];
    return compare_frames(work->profile, profile_frame(work->profile, node_a->frame),
                          profile_frame(work->profile, node_b->frame));
}

/* A parent always stands before its children in the profile, so that one walk from the end sums everything up. */
static void link_and_sum(struct layout_work *work, uint32_t count)
{
    memset(work->first_child, 0xff, count * sizeof(*work->first_child));
    for (uint32_t i = 0; i < count; i++)
        work->totals[i] = work->nodes[i].self;
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t parent = work->nodes[i].parent;
        work->totals[parent] += work->totals[i];
        work->next_sibling[i] = work->first_child[parent];
        work->first_child[parent] = i;
    }
}

/* Puts the children of the node at `place` behind the `end` places that are filled, and returns the new end. */
static uint32_t place_children(struct calltree *tree, struct layout_work *work, uint32_t place, uint32_t end)
{
    uint32_t first = end;
    for (uint32_t child = work->first_child[work->order[place]]; child != PROFILE_NONE;
         child = work->next_sibling[child])
        work->order[end++] = child;
    qsort_r(work->order + first, end - first, sizeof(*work->order), compare_siblings, work);
    tree->nodes[place].first_child = first;
    tree->nodes[place].child_count = end - first;
    for (uint32_t i = first; i < end; i++)
        tree->nodes[i].depth = tree->nodes[place].depth + 1;
    return end;
}

static void lay_out(struct calltree *tree, struct layout_work *work)
{
    work->order[0] = PROFILE_ROOT;
    tree->nodes[0].depth = 0;
    uint32_t end = 1;
    for (uint32_t place = 0; place < tree->count; place++) {
        struct calltree_node *node = &tree->nodes[place];
        node->node = work->order[place];
        node->frame = work->nodes[work->order[place]].frame;
        node->self = work->nodes[work->order[place]].self;
        node->total = work->totals[work->order[place]];
        end = place_children(tree, work, place, end);
    }
    tree->depth = tree->nodes[tree->count - 1].depth;
}

struct error *calltree_init(struct calltree *tree, const struct profile *profile)
{
    *tree = (struct calltree){0};
    struct layout_work work = {.profile = profile};
    work.nodes = profile_nodes(profile, &tree->count);
    cleanup_free uint64_t *totals = calloc(tree->count, sizeof(*totals));
    cleanup_free uint32_t *links = calloc(3 * (size_t)tree->count, sizeof(*links));
    tree->nodes = calloc(tree->count, sizeof(*tree->nodes));
    if (!totals || !links || !tree->nodes) {
        calltree_deinit(tree);
        return error_no_memory();
    }
    work.totals = totals;
    work.first_child = links;
    work.next_sibling = links + tree->count;
    work.order = links + 2 * (size_t)tree->count;
    link_and_sum(&work, tree->count);
    lay_out(tree, &work);
    return NULL;
}

void calltree_deinit(struct calltree *tree)
{
    free(tree->nodes);
    *tree = (struct calltree){0};
}
