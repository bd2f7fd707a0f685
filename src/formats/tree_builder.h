/* SPDX-License-Identifier: MIT */
/*
 * What making rows needs.
 *
 * Each node of the profile is in one list at any time: of its parent's children first, of a row's members later. One
 * array of links does for both.
 */
#ifndef FORMATS_TREE_BUILDER_H
#define FORMATS_TREE_BUILDER_H

#include "base/error.h"
#include "functions.h"
#include "profile/profile.h"
#include "tree_row.h"

struct tree_options;

struct tree_builder {
    struct tree_rows *rows;
    const struct profile *profile;
    const struct functions *functions;
    const struct tree_options *options;
    const struct profile_node *nodes;
    uint64_t *totals;                            /* of each node, without what was moved out of it */
    uint32_t *first_child;                       /* of each node */
    uint32_t *next;                              /* of each node: the next one in its list */
    uint64_t *totals_of_frame, *selves_of_frame; /* of the row that is looked into; zero between rows */
    uint32_t *place;     /* key -> where its row may be among the children of the row that is looked into */
    bool imports_barely; /* modules of Python 2 run right below those that import them */
};

/* The row that is looked into, and what is to be put into it yet. */
struct tree_visit {
    uint32_t row;
    uint32_t first_new; /* rows from here on are its children */
    uint32_t pending;   /* list of nodes */
};

/* rows, profile, functions and options are there already. */
struct error *tree_builder_init(struct tree_builder *builder);

/* Accepts a struct in which nothing else is there. */
void tree_builder_deinit(struct tree_builder *builder);

#define cleanup_tree_builder __attribute__((cleanup(tree_builder_deinit)))

static inline const struct function *tree_function_of(const struct tree_builder *builder, uint32_t node)
{
    return &builder->functions->functions[builder->functions->of_frame[builder->nodes[node].frame]];
}

static inline void tree_push(struct tree_builder *builder, uint32_t *list, uint32_t node)
{
    builder->next[node] = *list;
    *list = node;
}

static inline uint32_t tree_pop(struct tree_builder *builder, uint32_t *list)
{
    uint32_t node = *list;
    *list = builder->next[node];
    return node;
}

/* Makes a row after the model. NULL without memory; valid until the next call. */
struct tree_row *tree_add_row(struct tree_rows *rows, const struct tree_row *model);

/*
 * Puts a node, with this much of time, into a child of the row that is looked into. The child is made after the model
 * when there is none of its key. Returns it, or NULL without memory; it is valid until the next call.
 */
struct tree_row *tree_add_to_child(struct tree_builder *builder, const struct tree_visit *visit,
                                   const struct tree_row *model, uint32_t node, uint64_t time);

#endif
