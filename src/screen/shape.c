/* SPDX-License-Identifier: MIT */
#include "shape.h"

#include "profile/members.h"
#include "profile/profile.h"
#include "stacks.h"

#include <stdlib.h>

static bool node_equals(const void *context, uint32_t index, const void *key)
{
    const struct shape_node *node = &((const struct shape *)context)->nodes[index];
    const struct shape_node *wanted = key;
    return node->parent == wanted->parent && node->key == wanted->key && node->group == wanted->group;
}

static bool row_equals(const void *context, uint32_t index, const void *key)
{
    const struct shape_row *row = &((const struct shape *)context)->rows[index];
    const struct shape_row *wanted = key;
    return row->key == wanted->key && row->group == wanted->group;
}

static bool function_equals(const void *context, uint32_t index, const void *key)
{
    const struct profile_frame *frame = profile_frame(((const struct shape *)context)->profile, index);
    const struct profile_frame *wanted = key;
    return frame->kind == wanted->kind && frame->name == wanted->name && frame->file == wanted->file &&
           frame->first_line == wanted->first_line;
}

static uint64_t hash_two(uint32_t one, uint32_t other)
{
    return hash_number((uint64_t)one << 32 | other);
}

static uint32_t find_row(struct shape *shape, uint32_t key, uint32_t group)
{
    const struct shape_row wanted = {.key = key, .group = group};
    uint64_t hash = hash_two(key, group);
    uint32_t found = table_find(&shape->row_table, hash, row_equals, shape, &wanted);
    if (found != TABLE_NONE)
        return found;
    if (!array_grow(&shape->rows, shape->row_count, &shape->row_capacity, sizeof(*shape->rows)) ||
        !table_insert(&shape->row_table, hash, shape->row_count))
        return SHAPE_NONE;
    shape->rows[shape->row_count] = wanted;
    return shape->row_count++;
}

static bool has_caller(const struct shape *shape, uint32_t node, uint32_t key)
{
    for (; node != SHAPE_NONE; node = shape->nodes[node].parent) {
        if (shape->nodes[node].key == key)
            return true;
    }
    return false;
}

static uint32_t add_node(struct shape *shape, uint32_t parent, uint32_t key, uint32_t group)
{
    struct shape_node node = {.parent = parent, .key = key, .group = group};
    uint64_t hash = hash_pair(hash_two(parent, key), group);
    uint32_t found = table_find(&shape->node_table, hash, node_equals, shape, &node);
    if (found != TABLE_NONE)
        return found;
    node.row = find_row(shape, key, group);
    node.is_outermost = key == PROFILE_NONE || !has_caller(shape, parent, key);
    node.first_child = node.next_sibling = SHAPE_NONE;
    if (node.row == SHAPE_NONE || !array_grow(&shape->nodes, shape->count, &shape->capacity, sizeof(*shape->nodes)) ||
        !table_insert(&shape->node_table, hash, shape->count))
        return SHAPE_NONE;
    if (parent != SHAPE_NONE) {
        node.next_sibling = shape->nodes[parent].first_child;
        shape->nodes[parent].first_child = shape->count;
    }
    shape->nodes[shape->count] = node;
    return shape->count++;
}

bool shape_init(struct shape *shape, const struct profile *profile, bool by_line, enum model_grouping grouping)
{
    *shape = (struct shape){.profile = profile, .by_line = by_line, .grouping = grouping};
    return add_node(shape, SHAPE_NONE, PROFILE_NONE, SHAPE_NONE) == SHAPE_ROOT;
}

void shape_deinit(struct shape *shape)
{
    free(shape->nodes);
    table_deinit(&shape->node_table);
    free(shape->rows);
    table_deinit(&shape->row_table);
    free(shape->of_stack);
    free(shape->functions);
    table_deinit(&shape->function_table);
    *shape = (struct shape){0};
}

static bool find_functions(struct shape *shape)
{
    uint32_t count = profile_frame_count(shape->profile);
    for (; shape->function_count < count; shape->function_count++) {
        uint32_t frame = shape->function_count;
        const struct profile_frame *wanted = profile_frame(shape->profile, frame);
        uint64_t hash =
            hash_pair(hash_two(wanted->name, wanted->file), hash_two(wanted->kind, (uint32_t)wanted->first_line));
        uint32_t found = table_find(&shape->function_table, hash, function_equals, shape, wanted);
        if (!array_grow(&shape->functions, frame, &shape->function_capacity, sizeof(*shape->functions)) ||
            (found == TABLE_NONE && !table_insert(&shape->function_table, hash, frame)))
            return false;
        shape->functions[frame] = found == TABLE_NONE ? frame : found;
    }
    return true;
}

static uint32_t group_of(const struct shape *shape, uint32_t thread)
{
    uint32_t count;
    switch (shape->grouping) {
    case MODEL_THREADS:
        return thread;
    case MODEL_PROCESSES:
        return profile_threads(shape->profile, &count)[thread].process;
    case MODEL_MERGED:
        break;
    }
    return SHAPE_NONE;
}

/* What shows a stack. */
static uint32_t place_stack(struct shape *shape, const struct stack *stack)
{
    if (stack->parent == STACKS_NONE)
        return SHAPE_ROOT;
    uint32_t parent = shape->of_stack[stack->parent];
    if (stack->frame == PROFILE_NONE) {
        uint32_t group = group_of(shape, stack->thread);
        return group == SHAPE_NONE ? parent : add_node(shape, parent, PROFILE_NONE, group);
    }
    uint32_t key = shape->by_line ? stack->frame : shape->functions[stack->frame];
    return add_node(shape, parent, key, shape->nodes[parent].group);
}

static bool place_stacks(struct shape *shape, const struct stacks *stacks)
{
    for (; shape->stack_count < stacks->count; shape->stack_count++) {
        if (!array_grow(&shape->of_stack, shape->stack_count, &shape->stack_capacity, sizeof(*shape->of_stack)))
            return false;
        uint32_t node = place_stack(shape, &stacks->stacks[shape->stack_count]);
        if (node == SHAPE_NONE)
            return false;
        shape->of_stack[shape->stack_count] = node;
    }
    return true;
}

static void add_amount(struct shape_amount *sum, const struct shape_amount *amount)
{
    sum->all += amount->all;
    sum->now += amount->now;
}

static struct shape_amount amount_of(const struct stack_counts *counts, unsigned classes)
{
    struct shape_amount amount = {0};
    for (unsigned class = 0; class < STATE_CLASSES; class ++) {
        if (!(classes >> class & 1))
            continue;
        amount.all += counts->all[class];
        amount.now += counts->now[class];
    }
    return amount;
}

static void sum_rows(struct shape *shape)
{
    for (uint32_t i = 0; i < shape->row_count; i++)
        shape->rows[i].self = shape->rows[i].total = (struct shape_amount){0};
    for (uint32_t i = 0; i < shape->count; i++) {
        const struct shape_node *node = &shape->nodes[i];
        add_amount(&shape->rows[node->row].self, &node->self);
        if (node->is_outermost)
            add_amount(&shape->rows[node->row].total, &node->total);
    }
}

bool shape_sum(struct shape *shape, const struct stacks *stacks, unsigned classes)
{
    if (!find_functions(shape) || !place_stacks(shape, stacks))
        return false;
    for (uint32_t i = 0; i < shape->count; i++)
        shape->nodes[i].self = shape->nodes[i].total = (struct shape_amount){0};
    for (uint32_t i = 0; i < stacks->count; i++) {
        const struct shape_amount amount = amount_of(&stacks->counts[i], classes);
        add_amount(&shape->nodes[shape->of_stack[i]].self, &amount);
    }
    for (uint32_t i = shape->count; i-- > 0;) {
        struct shape_node *node = &shape->nodes[i];
        add_amount(&node->total, &node->self);
        if (node->parent != SHAPE_NONE)
            add_amount(&shape->nodes[node->parent].total, &node->total);
    }
    sum_rows(shape);
    return true;
}
