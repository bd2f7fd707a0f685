/* SPDX-License-Identifier: MIT */
#include "stacks.h"

#include "profile/filter.h"
#include "profile/members.h"

#include <stdlib.h>
#include <string.h>

/* What is known of a node of the profile, from its own frame and those of its callers. */
enum stack_mark {
    HAS_FOCUS = 1,
    HAS_IGNORED = 2,
    HAS_START = 4,
    IS_COLLECTING = 8,
};

struct known_stack {
    uint32_t thread, node, stack;
};

static bool known_equals(const void *context, uint32_t index, const void *key)
{
    const struct known_stack *known = &((const struct stacks *)context)->known[index];
    const struct known_stack *wanted = key;
    return known->thread == wanted->thread && known->node == wanted->node;
}

static bool stack_equals(const void *context, uint32_t index, const void *key)
{
    const struct stack *stack = &((const struct stacks *)context)->stacks[index];
    const struct stack *wanted = key;
    return stack->parent == wanted->parent && stack->frame == wanted->frame && stack->thread == wanted->thread;
}

static uint64_t hash_two(uint32_t one, uint32_t other)
{
    return hash_number((uint64_t)one << 32 | other);
}

static uint32_t find_stack(const struct stacks *stacks, const struct stack *wanted)
{
    uint64_t hash = hash_pair(hash_two(wanted->parent, wanted->frame), wanted->thread);
    uint32_t found = table_find(&stacks->children, hash, stack_equals, stacks, wanted);
    return found == TABLE_NONE ? STACKS_NONE : found;
}

static uint32_t add_stack(struct stacks *stacks, const struct stack *stack)
{
    uint32_t found = find_stack(stacks, stack);
    if (found != STACKS_NONE)
        return found;
    uint64_t hash = hash_pair(hash_two(stack->parent, stack->frame), stack->thread);
    if (!array_grow(&stacks->stacks, stacks->count, &stacks->capacity, sizeof(*stacks->stacks)) ||
        !array_grow(&stacks->counts, stacks->count, &stacks->counts_capacity, sizeof(*stacks->counts)) ||
        !table_insert(&stacks->children, hash, stacks->count))
        return STACKS_NONE;
    stacks->stacks[stacks->count] = *stack;
    stacks->counts[stacks->count] = (struct stack_counts){0};
    return stacks->count++;
}

bool stacks_init(struct stacks *stacks, const struct profile *profile, const struct filter *filter)
{
    *stacks = (struct stacks){.profile = profile, .filter = filter};
    const struct stack root = {.parent = STACKS_NONE, .frame = PROFILE_NONE, .thread = PROFILE_NONE};
    return add_stack(stacks, &root) == STACKS_ROOT;
}

void stacks_deinit(struct stacks *stacks)
{
    free(stacks->stacks);
    free(stacks->counts);
    table_deinit(&stacks->children);
    free(stacks->known);
    table_deinit(&stacks->known_table);
    free(stacks->verdicts);
    free(stacks->marks);
    free(stacks->threads);
    *stacks = (struct stacks){0};
}

static bool judge_frames(struct stacks *stacks)
{
    uint32_t count = profile_frame_count(stacks->profile);
    for (; stacks->verdict_count < count; stacks->verdict_count++) {
        if (!array_grow(&stacks->verdicts, stacks->verdict_count, &stacks->verdict_capacity, sizeof(*stacks->verdicts)))
            return false;
        stacks->verdicts[stacks->verdict_count] =
            stacks->filter ? filter_judge(stacks->filter, stacks->profile, stacks->verdict_count)
                           : (struct filter_verdict){0};
    }
    return true;
}

static bool is_collecting(const struct profile *profile, uint32_t frame)
{
    size_t len;
    const struct profile_frame *seen = profile_frame(profile, frame);
    return seen->kind == FRAME_MARK && strcmp(profile_string(profile, seen->name, &len), "<GC>") == 0;
}

static uint8_t mark_of(const struct stacks *stacks, uint32_t frame)
{
    const struct filter_verdict *verdict = &stacks->verdicts[frame];
    return (uint8_t)((verdict->is_focus ? HAS_FOCUS : 0) | (verdict->is_ignored ? HAS_IGNORED : 0) |
                     (verdict->is_start ? HAS_START : 0) | (is_collecting(stacks->profile, frame) ? IS_COLLECTING : 0));
}

/* A node's parent has a smaller number, so each parent is met before its children. */
static bool mark_nodes(struct stacks *stacks)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(stacks->profile, &count);
    for (; stacks->mark_count < count; stacks->mark_count++) {
        uint32_t i = stacks->mark_count;
        if (!array_grow(&stacks->marks, i, &stacks->mark_capacity, 1))
            return false;
        stacks->marks[i] =
            i == PROFILE_ROOT ? 0 : (uint8_t)(stacks->marks[nodes[i].parent] | mark_of(stacks, nodes[i].frame));
    }
    return true;
}

static bool judge_threads(struct stacks *stacks)
{
    uint32_t count;
    profile_threads(stacks->profile, &count);
    for (; stacks->thread_count < count; stacks->thread_count++) {
        if (!array_grow(&stacks->threads, stacks->thread_count, &stacks->thread_capacity, 1))
            return false;
        stacks->threads[stacks->thread_count] =
            !stacks->filter || filter_accepts_thread(stacks->filter, stacks->profile, stacks->thread_count);
    }
    return true;
}

static bool is_shown(const struct stacks *stacks, const struct sample *sample)
{
    const struct filter *filter = stacks->filter;
    if (!filter)
        return true;
    uint8_t marks = stacks->marks[sample->node];
    return stacks->threads[sample->thread] && !(marks & HAS_IGNORED) &&
           (marks & HAS_FOCUS || !filter_needs_focus(filter)) && (marks & HAS_START || !filter_needs_start(filter));
}

static bool is_frame_shown(const struct stacks *stacks, uint32_t node, uint32_t frame)
{
    bool is_below_start = !stacks->filter || !filter_needs_start(stacks->filter) || stacks->marks[node] & HAS_START;
    return is_below_start && !stacks->verdicts[frame].is_hidden;
}

static uint32_t find_known(const struct stacks *stacks, uint32_t thread, uint32_t node)
{
    const struct known_stack wanted = {.thread = thread, .node = node};
    uint32_t found = table_find(&stacks->known_table, hash_two(thread, node), known_equals, stacks, &wanted);
    return found == TABLE_NONE ? STACKS_NONE : stacks->known[found].stack;
}

static bool add_known(struct stacks *stacks, uint32_t thread, uint32_t node, uint32_t stack)
{
    if (stack == STACKS_NONE ||
        !array_grow(&stacks->known, stacks->known_count, &stacks->known_capacity, sizeof(*stacks->known)) ||
        !table_insert(&stacks->known_table, hash_two(thread, node), stacks->known_count))
        return false;
    stacks->known[stacks->known_count++] = (struct known_stack){thread, node, stack};
    return true;
}

/* The first node on the way up from a node, itself included, of which a thread's stack is known; or the root. */
static uint32_t known_caller(const struct stacks *stacks, const struct profile_node *nodes, uint32_t thread,
                             uint32_t node, uint32_t *ret_depth)
{
    uint32_t depth = 0;
    while (node != PROFILE_ROOT && find_known(stacks, thread, node) == STACKS_NONE) {
        node = nodes[node].parent;
        depth++;
    }
    *ret_depth = depth;
    return node;
}

/* The nodes between a node, itself included, and one of its callers, outermost first. NULL without memory. */
static uint32_t *path_to(const struct profile_node *nodes, uint32_t node, uint32_t depth)
{
    uint32_t *path = malloc((depth + (size_t)1) * sizeof(*path));
    for (; path && depth > 0; node = nodes[node].parent)
        path[--depth] = node;
    return path;
}

/* The stack that shows what a thread was seen with. STACKS_NONE without memory. */
static uint32_t make_stack(struct stacks *stacks, uint32_t thread, uint32_t node)
{
    uint32_t count, depth;
    const struct profile_node *nodes = profile_nodes(stacks->profile, &count);
    uint32_t caller = known_caller(stacks, nodes, thread, node, &depth);
    const struct stack root = {.parent = STACKS_ROOT, .frame = PROFILE_NONE, .thread = thread};
    uint32_t stack = caller == PROFILE_ROOT ? add_stack(stacks, &root) : find_known(stacks, thread, caller);
    uint32_t *path = path_to(nodes, node, depth);
    if (!path)
        return STACKS_NONE;
    for (uint32_t i = 0; i < depth && stack != STACKS_NONE; i++) {
        uint32_t frame = nodes[path[i]].frame;
        const struct stack next = {.parent = stack, .frame = frame, .thread = thread};
        stack = is_frame_shown(stacks, path[i], frame) ? add_stack(stacks, &next) : stack;
        if (!add_known(stacks, thread, path[i], stack))
            stack = STACKS_NONE;
    }
    free(path);
    return stack;
}

static void note_states(struct stacks_seen *seen, const struct sample *sample, bool is_in_collector)
{
    bool is_active = sample->states & SAMPLE_ACTIVE;
    seen->active += is_active ? sample->weight : 0;
    seen->idle += is_active ? 0 : sample->weight;
    seen->collecting += is_active && is_in_collector ? sample->weight : 0;
}

bool stacks_count(struct stacks *stacks, const struct sample *sample)
{
    if (!judge_frames(stacks) || !mark_nodes(stacks) || !judge_threads(stacks))
        return false;
    note_states(&stacks->pending, sample, stacks->marks[sample->node] & IS_COLLECTING);
    if (!is_shown(stacks, sample))
        return true;
    uint32_t stack = make_stack(stacks, sample->thread, sample->node);
    if (stack == STACKS_NONE)
        return false;
    unsigned class =
        (sample->states & SAMPLE_ACTIVE ? CLASS_ACTIVE : 0) | (sample->states & SAMPLE_HAS_GIL ? CLASS_GIL : 0);
    stacks->counts[stack].pending[class] += sample->weight;
    return true;
}

void stacks_step(struct stacks *stacks)
{
    for (uint32_t i = 0; i < stacks->count; i++) {
        struct stack_counts *counts = &stacks->counts[i];
        for (int class = 0; class < STATE_CLASSES; class ++)
            counts->all[class] += counts->pending[class];
        memcpy(counts->now, counts->pending, sizeof(counts->now));
        memset(counts->pending, 0, sizeof(counts->pending));
    }
    stacks->now = stacks->pending;
    stacks->pending = (struct stacks_seen){0};
}

void stacks_reset(struct stacks *stacks)
{
    memset(stacks->counts, 0, stacks->count * sizeof(*stacks->counts));
    stacks->now = stacks->pending = (struct stacks_seen){0};
}
