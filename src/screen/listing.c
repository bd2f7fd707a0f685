/* SPDX-License-Identifier: MIT */
#include "listing.h"

#include "base/cleanup.h"
#include "caller_list.h"
#include "profile/profile.h"
#include "row_text.h"
#include "shape.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROW_LIMIT = 100000, /* that are made; nobody reads more */
    HOT_PERCENT = 10,   /* of the whole time: rows of a tree that have so much are unfolded by themselves */
};

/* What is needed to make rows. */
struct round {
    struct listing *listing;
    const struct shape *shape;
    const struct model_settings *settings;
    bool *matches;             /* by row of the shape: it has the text of the filter; NULL: there is no filter */
    bool *has_match_below;     /* by node: it, or something below it, matches */
    struct candidate *pending; /* a stack: what comes next is its last */
    uint32_t pending_count, pending_capacity;
    struct caller_list callers;
    bool has_failed;
};

/* A row, and what it is made of. */
struct candidate {
    struct model_row row;
    uint32_t node;             /* of a tree */
    bool is_in_match;          /* something above it matches */
    struct caller_range range; /* of a list of callers */
};

void listing_deinit(struct listing *listing)
{
    free(listing->rows);
    free(listing->openings);
    table_deinit(&listing->opening_table);
    *listing = (struct listing){0};
}

void listing_clear(struct listing *listing)
{
    listing->count = listing->opening_count = 0;
    table_clear(&listing->opening_table);
}

static bool opening_equals(const void *context, uint32_t index, const void *key)
{
    return ((const struct listing *)context)->openings[index].id == *(const uint64_t *)key;
}

static struct listing_opening *find_opening(const struct listing *listing, uint64_t id)
{
    uint32_t found = table_find(&listing->opening_table, hash_number(id), opening_equals, listing, &id);
    return found == TABLE_NONE ? NULL : &listing->openings[found];
}

void listing_open(struct listing *listing, uint64_t id, bool is_open)
{
    struct listing_opening *opening = find_opening(listing, id);
    if (opening) {
        opening->is_open = is_open;
        return;
    }
    /* Without memory a row stays as it is, which is no reason to end. */
    if (!array_grow(&listing->openings, listing->opening_count, &listing->opening_capacity,
                    sizeof(*listing->openings)) ||
        !table_insert(&listing->opening_table, hash_number(id), listing->opening_count))
        return;
    listing->openings[listing->opening_count++] = (struct listing_opening){id, is_open};
}

static uint64_t amount_of(const struct model_row *row, enum model_column column)
{
    switch (column) {
    case MODEL_OWN_SHARE:
        return row->own_now;
    case MODEL_TOTAL_SHARE:
        return row->total_now;
    case MODEL_OWN_TIME:
        return row->own_all;
    case MODEL_TOTAL_TIME:
        return row->total_all;
    case MODEL_NAME:
    case MODEL_COLUMNS:
        break;
    }
    return 0;
}

/* Where amounts are equal, what tells more about the row: those of other columns, in this order. */
static const enum model_column next_columns[] = {MODEL_OWN_TIME, MODEL_TOTAL_TIME, MODEL_OWN_SHARE, MODEL_TOTAL_SHARE};

static int compare_amounts(const struct model_row *a, const struct model_row *b, enum model_column column)
{
    uint64_t amount_a = amount_of(a, column), amount_b = amount_of(b, column);
    if (amount_a == amount_b)
        return 0;
    return amount_a > amount_b ? -1 : 1;
}

static int compare_names(const struct profile *profile, const struct model_row *a, const struct model_row *b)
{
    size_t len;
    if (a->frame == MODEL_NONE || b->frame == MODEL_NONE)
        return 0;
    return strcmp(profile_string(profile, profile_frame(profile, a->frame)->name, &len),
                  profile_string(profile, profile_frame(profile, b->frame)->name, &len));
}

static int compare_candidates(const void *one, const void *other, void *context)
{
    const struct round *round = context;
    const struct model_row *a = &((const struct candidate *)one)->row, *b = &((const struct candidate *)other)->row;
    int order = round->settings->column == MODEL_NAME ? compare_names(round->shape->profile, a, b)
                                                      : compare_amounts(a, b, round->settings->column);
    if (round->settings->is_reversed)
        order = -order;
    for (size_t i = 0; i < array_size(next_columns) && order == 0; i++)
        order = compare_amounts(a, b, next_columns[i]);
    if (order == 0)
        order = a->frame < b->frame ? -1 : a->frame > b->frame;
    return order == 0 ? (a->group < b->group ? -1 : a->group > b->group) : order;
}

static bool push(struct round *round, const struct candidate *candidate)
{
    if (!array_grow(&round->pending, round->pending_count, &round->pending_capacity, sizeof(*round->pending))) {
        round->has_failed = true;
        return false;
    }
    round->pending[round->pending_count++] = *candidate;
    return true;
}

/* Sorts what was pushed since then so that the first row is the last of the stack. */
static void sort_pushed(struct round *round, uint32_t since)
{
    uint32_t count = round->pending_count - since;
    if (count < 2)
        return;
    struct candidate *pushed = round->pending + since;
    qsort_r(pushed, count, sizeof(*pushed), compare_candidates, round);
    for (uint32_t i = 0; i < count / 2; i++) {
        struct candidate swapped = pushed[i];
        pushed[i] = pushed[count - 1 - i];
        pushed[count - 1 - i] = swapped;
    }
}

static void emit(struct round *round, const struct model_row *row)
{
    struct listing *listing = round->listing;
    if (!array_grow(&listing->rows, listing->count, &listing->capacity, sizeof(*listing->rows)))
        round->has_failed = true;
    else
        listing->rows[listing->count++] = *row;
}

static bool is_seen(const struct shape_amount *total)
{
    return total->all > 0 || total->now > 0;
}

static void fill_amounts(struct model_row *row, const struct shape_amount *self, const struct shape_amount *total)
{
    row->own_all = self->all;
    row->own_now = self->now;
    row->total_all = total->all;
    row->total_now = total->now;
}

static bool is_open(const struct round *round, const struct model_row *row, bool by_itself)
{
    const struct listing_opening *opening = find_opening(round->listing, row->id);
    return opening ? opening->is_open : by_itself;
}

/* The groups, or else the one that all rows are in. */
static void push_groups(struct round *round)
{
    const struct shape *shape = round->shape;
    if (shape->grouping == MODEL_MERGED) {
        const struct candidate all = {.row = {.frame = MODEL_NONE, .group = MODEL_NONE}, .node = SHAPE_ROOT};
        push(round, &all);
        return;
    }
    uint32_t child = shape->nodes[SHAPE_ROOT].first_child;
    for (; child != SHAPE_NONE; child = shape->nodes[child].next_sibling) {
        const struct shape_node *node = &shape->nodes[child];
        struct candidate group = {.row = {.frame = MODEL_NONE, .group = node->group}, .node = child};
        group.row.id = hash_number(node->group);
        group.row.has_children = true;
        group.row.is_open = is_open(round, &group.row, true);
        fill_amounts(&group.row, &node->self, &node->total);
        if (is_seen(&node->total))
            push(round, &group);
    }
    sort_pushed(round, 0);
}

static bool row_matches(const struct round *round, uint32_t row)
{
    return !round->matches || round->matches[row];
}

/* The rows of a flat list, which are below no other but that of their group. */
static void push_flat(struct round *round, const struct candidate *parent)
{
    const struct shape *shape = round->shape;
    uint32_t since = round->pending_count;
    for (uint32_t i = 0; i < shape->row_count; i++) {
        const struct shape_row *seen = &shape->rows[i];
        bool is_of_group = seen->group == parent->row.group && seen->key != PROFILE_NONE;
        if (!is_of_group || !is_seen(&seen->total) || !row_matches(round, i))
            continue;
        struct candidate child = {.row = {.frame = seen->key, .group = seen->group}};
        child.row.id = hash_pair(seen->key, seen->group);
        child.row.depth = parent->row.group == MODEL_NONE ? 0 : 1;
        fill_amounts(&child.row, &seen->self, &seen->total);
        push(round, &child);
    }
    sort_pushed(round, since);
}

static bool is_node_shown(const struct round *round, const struct candidate *parent, uint32_t node)
{
    return is_seen(&round->shape->nodes[node].total) &&
           (!round->has_match_below || parent->is_in_match || round->has_match_below[node]);
}

static bool has_shown_child(const struct round *round, const struct candidate *parent)
{
    uint32_t child = round->shape->nodes[parent->node].first_child;
    for (; child != SHAPE_NONE; child = round->shape->nodes[child].next_sibling) {
        if (is_node_shown(round, parent, child))
            return true;
    }
    return false;
}

/* Whether a row of a tree is unfolded when nobody has said so; once it is, it stays so. */
static bool opens_by_itself(const struct round *round, const struct candidate *candidate)
{
    const struct shape_node *node = &round->shape->nodes[candidate->node];
    const struct shape_amount *whole = &round->shape->nodes[SHAPE_ROOT].total;
    if (round->has_match_below && !candidate->is_in_match)
        return true;
    if (node->total.all * 100 < whole->all * HOT_PERCENT)
        return false;
    listing_open(round->listing, candidate->row.id, true);
    return true;
}

/* What a node of a tree calls. */
static void push_callees(struct round *round, const struct candidate *parent)
{
    const struct shape *shape = round->shape;
    uint32_t since = round->pending_count;
    uint32_t i = shape->nodes[parent->node].first_child;
    for (; i != SHAPE_NONE; i = shape->nodes[i].next_sibling) {
        const struct shape_node *node = &shape->nodes[i];
        if (!is_node_shown(round, parent, i))
            continue;
        struct candidate child = {.row = {.frame = node->key, .group = node->group}, .node = i};
        child.row.id = hash_pair(parent->row.id, node->key);
        child.row.depth = shape->grouping == MODEL_MERGED && parent->node == SHAPE_ROOT ? 0 : parent->row.depth + 1;
        child.is_in_match = parent->is_in_match || (round->matches && round->matches[node->row]);
        child.row.has_children = has_shown_child(round, &child);
        if (child.row.has_children)
            child.row.is_open = is_open(round, &child.row, false) ||
                                (!find_opening(round->listing, child.row.id) && opens_by_itself(round, &child));
        fill_amounts(&child.row, &node->self, &node->total);
        push(round, &child);
    }
    sort_pushed(round, since);
}

/* The rows that took time themselves. */
static void push_leaves(struct round *round, const struct candidate *group)
{
    const struct shape *shape = round->shape;
    uint32_t since = round->pending_count;
    for (uint32_t i = 0; i < shape->row_count; i++) {
        const struct shape_row *seen = &shape->rows[i];
        bool is_of_group = seen->group == group->row.group && seen->key != PROFILE_NONE;
        if (!is_of_group || !is_seen(&seen->self) || !row_matches(round, i))
            continue;
        struct candidate leaf = {.row = {.frame = seen->key, .group = seen->group}};
        leaf.row.id = hash_pair(hash_pair(group->row.id, seen->key), seen->group);
        leaf.row.depth = group->row.group == MODEL_NONE ? 0 : 1;
        fill_amounts(&leaf.row, &seen->self, &seen->self);
        leaf.range.row = i;
        leaf.row.has_children = caller_list_has_callers(shape, i);
        leaf.row.is_open = leaf.row.has_children && is_open(round, &leaf.row, false);
        push(round, &leaf);
    }
    sort_pushed(round, since);
}

/* Who called a row of a list of callers. */
static void push_callers(struct round *round, const struct candidate *called)
{
    struct caller_range *ranges;
    uint32_t count, since = round->pending_count;
    if (!caller_list_find(&round->callers, round->shape, &called->range, &ranges, &count)) {
        round->has_failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct candidate caller = {.row = {.frame = ranges[i].key, .group = called->row.group}, .range = ranges[i]};
        caller.row.id = hash_pair(called->row.id, ranges[i].key);
        caller.row.depth = called->row.depth + 1;
        caller.row.has_children = ranges[i].has_callers;
        caller.row.is_open = caller.row.has_children && is_open(round, &caller.row, false);
        fill_amounts(&caller.row, &ranges[i].amount, &ranges[i].amount);
        push(round, &caller);
    }
    free(ranges);
    sort_pushed(round, since);
}

static void push_below(struct round *round, const struct candidate *parent)
{
    bool is_group = parent->row.frame == MODEL_NONE;
    switch (round->settings->view) {
    case MODEL_FLAT:
        if (is_group)
            push_flat(round, parent);
        break;
    case MODEL_TREE:
        push_callees(round, parent);
        break;
    case MODEL_CALLERS:
        if (is_group)
            push_leaves(round, parent);
        else
            push_callers(round, parent);
        break;
    }
}

/* Finds the rows that have the filter's text, and what is above them in the tree. */
static bool find_matches(struct round *round)
{
    const struct shape *shape = round->shape;
    const struct row_scope scope = {shape->profile, shape->grouping, shape->by_line};
    round->matches = calloc(shape->row_count + (size_t)1, sizeof(bool));
    round->has_match_below = calloc(shape->count + (size_t)1, sizeof(bool));
    if (!round->matches || !round->has_match_below)
        return false;
    for (uint32_t i = 0; i < shape->row_count; i++) {
        const struct model_row row = {.frame = shape->rows[i].key, .group = shape->rows[i].group};
        round->matches[i] = row.frame != MODEL_NONE && row_matches_text(&scope, &row, round->settings->filter);
    }
    for (uint32_t i = shape->count; i-- > 1;) {
        round->has_match_below[i] |= round->matches[shape->nodes[i].row];
        round->has_match_below[shape->nodes[i].parent] |= round->has_match_below[i];
    }
    return true;
}

bool listing_make(struct listing *listing, const struct shape *shape, const struct model_settings *settings)
{
    struct round round = {.listing = listing, .shape = shape, .settings = settings};
    bool is_grouped = settings->grouping != MODEL_MERGED;
    listing->count = 0;
    round.has_failed = settings->filter[0] != '\0' && !find_matches(&round);
    if (!round.has_failed)
        push_groups(&round);
    while (round.pending_count > 0 && listing->count < ROW_LIMIT && !round.has_failed) {
        const struct candidate next = round.pending[--round.pending_count];
        bool is_all = next.row.frame == MODEL_NONE && !is_grouped;
        bool is_empty = next.row.frame == MODEL_NONE && round.has_match_below && !round.has_match_below[next.node];
        if (is_empty)
            continue;
        if (!is_all)
            emit(&round, &next.row);
        if (is_all || next.row.is_open)
            push_below(&round, &next);
    }
    free(round.pending);
    free(round.matches);
    free(round.has_match_below);
    caller_list_deinit(&round.callers);
    return !round.has_failed;
}
