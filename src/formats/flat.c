/* SPDX-License-Identifier: MIT */
#include "flat.h"

#include "base/cleanup.h"
#include "functions.h"
#include "profile/profile.h"

#include <string.h>

/* What counting needs of each node of the profile, and of each frame and function. */
struct count {
    const struct functions *functions;
    const struct profile_node *nodes;
    uint64_t *totals;                     /* by node */
    uint32_t *first_child, *next_sibling; /* by node */
    uint64_t *selves_of_frame;
    uint32_t *on_path; /* by function: how often it is on the path that is walked */
};

static void count_deinit(struct count *count)
{
    free(count->totals);
    free(count->first_child);
    free(count->next_sibling);
    free(count->selves_of_frame);
    free(count->on_path);
}

static struct error *count_init(struct count *count, const struct profile *profile, uint32_t node_count)
{
    count->totals = malloc(node_count * sizeof(*count->totals));
    count->first_child = malloc(node_count * sizeof(*count->first_child));
    count->next_sibling = malloc(node_count * sizeof(*count->next_sibling));
    count->selves_of_frame = calloc(profile_frame_count(profile), sizeof(*count->selves_of_frame));
    count->on_path = calloc(count->functions->count, sizeof(*count->on_path));
    bool is_complete =
        count->totals && count->first_child && count->next_sibling && count->selves_of_frame && count->on_path;
    return is_complete ? NULL : error_no_memory();
}

/* A parent has a smaller number than its children, so that one walk from the end sums everything up. */
static void link_and_sum(struct count *count, uint32_t node_count)
{
    memset(count->first_child, 0xff, node_count * sizeof(*count->first_child));
    count->next_sibling[PROFILE_ROOT] = PROFILE_NONE;
    for (uint32_t i = 0; i < node_count; i++) {
        count->totals[i] = count->nodes[i].self;
        count->selves_of_frame[count->nodes[i].frame] += count->nodes[i].self;
    }
    for (uint32_t i = node_count - 1; i > 0; i--) {
        uint32_t parent = count->nodes[i].parent;
        count->totals[parent] += count->totals[i];
        count->next_sibling[i] = count->first_child[parent];
        count->first_child[parent] = i;
    }
}

static uint32_t function_of(const struct count *count, uint32_t node)
{
    return count->functions->of_frame[count->nodes[node].frame];
}

/* Takes one more node on the path in. */
static void enter(struct count *count, struct flat_row *rows, uint32_t node)
{
    uint32_t function = function_of(count, node);
    rows[function].self += count->nodes[node].self;
    if (count->on_path[function]++ == 0)
        rows[function].total += count->totals[node];
}

/* Walks the tree depth first; rows are by function. */
static void walk(struct count *count, struct flat_row *rows)
{
    uint32_t node = PROFILE_ROOT;
    enter(count, rows, node);
    for (;;) {
        if (count->first_child[node] != PROFILE_NONE) {
            node = count->first_child[node];
            enter(count, rows, node);
            continue;
        }
        count->on_path[function_of(count, node)]--;
        while (count->next_sibling[node] == PROFILE_NONE) {
            node = count->nodes[node].parent;
            if (node == PROFILE_NONE)
                return;
            count->on_path[function_of(count, node)]--;
        }
        node = count->next_sibling[node];
        enter(count, rows, node);
    }
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct flat_row *row_a = a;
    const struct flat_row *row_b = b;
    if (row_a->self != row_b->self)
        return row_a->self > row_b->self ? -1 : 1;
    if (row_a->total != row_b->total)
        return row_a->total > row_b->total ? -1 : 1;
    return functions_compare(context, row_a->function, row_b->function);
}

static void find_lines(const struct count *count, struct flat_row *rows, uint32_t frame_count)
{
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        uint64_t self = count->selves_of_frame[frame];
        uint32_t *best = &rows[count->functions->of_frame[frame]].self_frame;
        if (self > 0 && (*best == PROFILE_NONE || self > count->selves_of_frame[*best]))
            *best = frame;
    }
}

/* Leaves out processes, threads, and what had no time, and sorts the rest. */
static void keep_rows(struct flat *flat, const struct functions *functions)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < functions->count; i++) {
        bool is_pure_group = functions->functions[i].class == FUNCTION_GROUP && flat->rows[i].self == 0;
        if (!is_pure_group && flat->rows[i].total > 0)
            flat->rows[kept++] = flat->rows[i];
    }
    flat->count = kept;
    qsort_r(flat->rows, flat->count, sizeof(*flat->rows), compare_rows, (void *)functions);
}

struct error *flat_init(struct flat *flat, const struct profile *profile, const struct functions *functions)
{
    *flat = (struct flat){0};
    uint32_t node_count;
    struct count count __attribute__((cleanup(count_deinit))) = {.functions = functions};
    count.nodes = profile_nodes(profile, &node_count);
    struct error *error = count_init(&count, profile, node_count);
    if (error)
        return error;
    flat->rows = calloc(functions->count, sizeof(*flat->rows));
    if (!flat->rows)
        return error_no_memory();
    for (uint32_t i = 0; i < functions->count; i++)
        flat->rows[i] = (struct flat_row){.function = i, .self_frame = PROFILE_NONE};
    link_and_sum(&count, node_count);
    walk(&count, flat->rows);
    find_lines(&count, flat->rows, profile_frame_count(profile));
    flat->whole = count.totals[PROFILE_ROOT];
    keep_rows(flat, functions);
    return NULL;
}

void flat_deinit(struct flat *flat)
{
    free(flat->rows);
    *flat = (struct flat){0};
}
