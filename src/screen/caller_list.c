/* SPDX-License-Identifier: MIT */
#include "caller_list.h"

#include "base/cleanup.h"
#include "profile/profile.h"

void caller_list_deinit(struct caller_list *list)
{
    free(list->pairs);
    *list = (struct caller_list){0};
}

static bool took_time(const struct shape_node *node)
{
    return node->self.all > 0 || node->self.now > 0;
}

static uint32_t caller_key(const struct shape *shape, uint32_t node)
{
    return shape->nodes[shape->nodes[node].parent].key;
}

bool caller_list_has_callers(const struct shape *shape, uint32_t row)
{
    for (uint32_t i = 1; i < shape->count; i++) {
        if (shape->nodes[i].row == row && took_time(&shape->nodes[i]) && caller_key(shape, i) != PROFILE_NONE)
            return true;
    }
    return false;
}

static bool add_pair(struct caller_list *list, uint32_t leaf, uint32_t node)
{
    if (!array_grow(&list->pairs, list->count, &list->capacity, sizeof(*list->pairs)))
        return false;
    list->pairs[list->count++] = (struct caller_pair){leaf, node};
    return true;
}

/* Adds a pair for each leaf of the range: with its caller, where it has one. */
static bool add_callers(struct caller_list *list, const struct shape *shape, const struct caller_range *range)
{
    bool is_first = range->count == 0;
    uint32_t count = is_first ? shape->count : range->count;
    for (uint32_t i = 0; i < count; i++) {
        const struct caller_pair pair = is_first ? (struct caller_pair){i, i} : list->pairs[range->first + i];
        const struct shape_node *node = &shape->nodes[pair.node];
        if (is_first && (node->row != range->row || !took_time(node)))
            continue;
        if (node->parent == SHAPE_NONE || shape->nodes[node->parent].key == PROFILE_NONE)
            continue;
        if (!add_pair(list, pair.leaf, node->parent))
            return false;
    }
    return true;
}

static int compare_pairs(const void *one, const void *other, void *context)
{
    const struct caller_pair *a = one, *b = other;
    const struct shape *shape = context;
    uint32_t key_a = shape->nodes[a->node].key, key_b = shape->nodes[b->node].key;
    return key_a == key_b ? 0 : key_a < key_b ? -1 : 1;
}

static void add_to_range(const struct shape *shape, const struct caller_pair *pair, struct caller_range *range)
{
    const struct shape_amount *self = &shape->nodes[pair->leaf].self;
    range->amount.all += self->all;
    range->amount.now += self->now;
    range->has_callers |= caller_key(shape, pair->node) != PROFILE_NONE;
    range->count++;
}

bool caller_list_find(struct caller_list *list, const struct shape *shape, const struct caller_range *range,
                      struct caller_range **ret, uint32_t *ret_count)
{
    uint32_t first = list->count, count = 0;
    if (!add_callers(list, shape, range))
        return false;
    uint32_t pair_count = list->count - first;
    struct caller_range *ranges = calloc(pair_count + (size_t)1, sizeof(*ranges));
    if (!ranges)
        return false;
    if (pair_count > 1)
        qsort_r(list->pairs + first, pair_count, sizeof(*list->pairs), compare_pairs, (void *)shape);
    for (uint32_t i = first; i < list->count; i++) {
        uint32_t key = shape->nodes[list->pairs[i].node].key;
        if (count == 0 || ranges[count - 1].key != key)
            ranges[count++] = (struct caller_range){.first = i, .key = key};
        add_to_range(shape, &list->pairs[i], &ranges[count - 1]);
    }
    *ret = ranges;
    *ret_count = count;
    return true;
}
