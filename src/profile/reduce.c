/* SPDX-License-Identifier: MIT */
#include "profile/reduce.h"

#include "base/cleanup.h"
#include "profile/copy.h"
#include "profile/profile.h"

/* What the source's frames and nodes are in the profile that is made. */
struct reduction {
    const struct profile *source;
    const struct profile_detail *detail;
    struct profile_copy copy;
    uint32_t *nodes;
};

static void reduction_deinit(struct reduction *reduction)
{
    profile_copy_deinit(&reduction->copy);
    free(reduction->nodes);
}

static bool is_left_out(const struct profile_detail *detail, const struct profile_frame *frame)
{
    return (frame->kind == FRAME_THREAD && !detail->with_threads) ||
           (frame->kind == FRAME_PROCESS && !detail->with_processes);
}

static void reduce_line(enum profile_lines lines, struct profile_frame *frame)
{
    switch (lines) {
    case PROFILE_CURRENT_LINE:
        break;
    case PROFILE_FUNCTION_LINE:
        /* Of native code no first line may be known: then the lines of a function are together all the same. */
        if (frame->first_line != 0 || frame->kind == FRAME_NATIVE)
            frame->line = frame->first_line;
        break;
    case PROFILE_NO_LINE:
        frame->line = frame->first_line = 0;
        break;
    }
}

/* The node of the copy under which a node of the source comes, which is the parent's own for one that is left out. */
static uint32_t reduce_node(struct reduction *reduction, const struct profile_node *node)
{
    uint32_t parent = reduction->nodes[node->parent];
    struct profile_frame frame = *profile_frame(reduction->source, node->frame);
    if (is_left_out(reduction->detail, &frame))
        return parent;
    reduce_line(reduction->detail->lines, &frame);
    return profile_child(reduction->copy.profile, parent, profile_copy_frame(&reduction->copy, &frame));
}

static struct error *fill(struct reduction *reduction)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(reduction->source, &count);
    reduction->nodes = malloc(count * sizeof(*reduction->nodes));
    if (!reduction->nodes)
        return error_no_memory();
    reduction->nodes[PROFILE_ROOT] = PROFILE_ROOT;
    profile_count(reduction->copy.profile, PROFILE_ROOT, nodes[PROFILE_ROOT].self);
    for (uint32_t i = PROFILE_ROOT + 1; i < count; i++) {
        uint32_t node = reduce_node(reduction, &nodes[i]);
        if (node == PROFILE_NONE)
            return error_no_memory();
        reduction->nodes[i] = node;
        profile_count(reduction->copy.profile, node, nodes[i].self);
    }
    return NULL;
}

struct error *profile_reduce_mapped(const struct profile *source, const struct profile_detail *detail,
                                    struct profile **ret, uint32_t **ret_nodes)
{
    struct reduction reduction __attribute__((cleanup(reduction_deinit))) = {.source = source, .detail = detail};
    struct error *error = profile_copy_init(&reduction.copy, source);
    if (!error)
        error = fill(&reduction);
    if (error)
        return error;
    *ret = hand_over(&reduction.copy.profile);
    *ret_nodes = hand_over(&reduction.nodes);
    return NULL;
}

struct error *profile_reduce(const struct profile *source, const struct profile_detail *detail, struct profile **ret)
{
    cleanup_free uint32_t *nodes = NULL;
    return profile_reduce_mapped(source, detail, ret, &nodes);
}
