/* SPDX-License-Identifier: MIT */
#include "tree_rows.h"

#include "formats/tree_options.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "tree_builder.h"
#include "tree_imports.h"

#include <stdlib.h>
#include <string.h>

enum {
    TURN_LIMIT = 4,    /* functions in a circle that is seen as recursion */
    THREAD_LIMIT = 20, /* threads, or processes, that are shown although they have little time */
};

/* The functions between a row's function and its next turn. */
struct circle {
    uint32_t functions[TURN_LIMIT];
    uint32_t count;
};

static uint32_t function_of(const struct tree_builder *builder, uint32_t node)
{
    return builder->functions->of_frame[builder->nodes[node].frame];
}

/* Takes the next turns out of the subtree of a node, which is the function at `step` of the circle. */
static uint64_t take_turns(struct tree_builder *builder, struct tree_visit *visit, const struct circle *circle,
                           uint32_t step, uint32_t node)
{
    bool is_last = step + 1 == circle->count;
    uint32_t wanted = is_last ? builder->rows->rows[visit->row].function : circle->functions[step + 1];
    uint64_t taken = 0;
    uint32_t list = builder->first_child[node];
    uint32_t kept = PROFILE_NONE;
    while (list != PROFILE_NONE) {
        uint32_t child = tree_pop(builder, &list);
        if (is_last && function_of(builder, child) == wanted) {
            taken += builder->totals[child];
            tree_push(builder, &visit->pending, child);
            continue;
        }
        if (!is_last && function_of(builder, child) == wanted)
            taken += take_turns(builder, visit, circle, step + 1, child);
        tree_push(builder, &kept, child);
    }
    builder->first_child[node] = kept;
    builder->totals[node] -= taken;
    return taken;
}

/* Takes turns out of a child that begins a way back to the row's own function. Returns their time. */
static uint64_t fold_circles(struct tree_builder *builder, struct tree_visit *visit, uint32_t child)
{
    const struct tree_row *rows = builder->rows->rows;
    uint32_t function = function_of(builder, child);
    struct circle circle = {.functions = {function}, .count = 1};
    if (functions_is_part(builder->functions, rows[visit->row].function, function))
        return take_turns(builder, visit, &circle, 0, child);
    circle.count = 0;
    uint32_t outer = rows[visit->row].parent;
    while (outer != PROFILE_NONE && rows[outer].kind == ROW_FUNCTION && circle.count + 1 < TURN_LIMIT) {
        memmove(circle.functions + 1, circle.functions, circle.count * sizeof(*circle.functions));
        circle.functions[0] = rows[outer].function;
        circle.count++;
        outer = rows[outer].parent;
        if (circle.functions[0] == function)
            return take_turns(builder, visit, &circle, 0, child);
    }
    return 0;
}

/* Whether a child is a part of the row itself. */
static bool belongs_to_row(const struct tree_builder *builder, const struct tree_row *row, uint32_t child)
{
    if (row->kind != ROW_FUNCTION)
        return false;
    bool is_group = builder->functions->functions[row->function].class == FUNCTION_GROUP;
    return function_of(builder, child) == row->function ||
           (is_group && !builder->options->show_all && tree_function_of(builder, child)->class == FUNCTION_STARTER);
}

/* Sorts the children of a member into the row and its children. The time of the former is added to *kept. */
static bool sort_children(struct tree_builder *builder, struct tree_visit *visit, uint32_t node, uint64_t *kept)
{
    if (!builder->options->show_all && !tree_fold_imports(builder, visit, node, kept))
        return false;
    for (uint32_t list = builder->first_child[node]; list != PROFILE_NONE;) {
        uint32_t child = tree_pop(builder, &list);
        const struct tree_row *row = &builder->rows->rows[visit->row];
        if (belongs_to_row(builder, row, child)) {
            tree_push(builder, &visit->pending, child);
            *kept += builder->totals[child];
            continue;
        }
        if (row->kind == ROW_FUNCTION)
            *kept += fold_circles(builder, visit, child);
        uint32_t function = function_of(builder, child);
        const struct tree_row model = {.kind = ROW_FUNCTION, .key = function, .function = function};
        if (!tree_add_to_child(builder, visit, &model, child, builder->totals[child]))
            return false;
    }
    return true;
}

/* Counts time for a line of the row, and remembers the line when it has most. */
static void count_line(uint64_t *of_frame, uint32_t frame, uint64_t time, uint32_t *best)
{
    if (frame == PROFILE_NONE || time == 0)
        return;
    uint64_t sum = of_frame[frame] += time;
    uint64_t most = *best == PROFILE_NONE ? 0 : of_frame[*best];
    if (sum > most || (sum == most && frame < *best))
        *best = frame;
}

/*
 * Puts a member's time into the row. A line of a function has the time in which it was the innermost one of the
 * function's: in a recursion the others all wait at the line of the call. A line that imports has all of the import's.
 */
static bool take_member(struct tree_builder *builder, struct tree_visit *visit, uint32_t node)
{
    uint64_t time = builder->totals[node];
    uint64_t kept = 0;
    if (!sort_children(builder, visit, node, &kept))
        return false;
    struct tree_row *row = &builder->rows->rows[visit->row];
    row->self += builder->nodes[node].self;
    count_line(builder->selves_of_frame, builder->nodes[node].frame, builder->nodes[node].self, &row->self_frame);
    if (row->kind == ROW_FUNCTION)
        count_line(builder->totals_of_frame, builder->nodes[node].frame, time - kept, &row->hot_frame);
    else if (row->turns == 1)
        count_line(builder->totals_of_frame, tree_find_importer(builder, node), time, &row->hot_frame);
    return true;
}

/* Sets the counts by frame to zero again: all that were counted are of members, or import them. */
static void forget_lines(struct tree_builder *builder, const struct tree_row *row)
{
    for (uint32_t node = row->members; node != PROFILE_NONE; node = builder->next[node]) {
        uint32_t frame = builder->nodes[node].frame;
        builder->totals_of_frame[frame] = builder->selves_of_frame[frame] = 0;
        uint32_t importer = row->kind == ROW_IMPORT ? tree_find_importer(builder, node) : PROFILE_NONE;
        if (importer != PROFILE_NONE)
            builder->totals_of_frame[importer] = 0;
    }
}

static bool is_group(const struct tree_builder *builder, const struct tree_row *row)
{
    return row->kind == ROW_FUNCTION && builder->functions->functions[row->function].class == FUNCTION_GROUP;
}

/* A process that is the only one, or a thread, does not get a row of its own. */
static bool take_only_group(struct tree_builder *builder, struct tree_visit *visit)
{
    struct tree_rows *rows = builder->rows;
    const struct tree_row *row = &rows->rows[visit->row];
    if (builder->rows->count != visit->first_new + 1 || row->self > 0 || !is_group(builder, row) ||
        !is_group(builder, &rows->rows[visit->first_new]))
        return false;
    visit->pending = rows->rows[visit->first_new].members;
    rows->count--;
    return true;
}

/* Takes all members in, those of further turns behind those of the turn before. */
static bool gather(struct tree_builder *builder, struct tree_visit *visit)
{
    uint32_t members = PROFILE_NONE;
    uint32_t turns = 0;
    do {
        while (visit->pending != PROFILE_NONE) {
            uint32_t list = visit->pending;
            visit->pending = PROFILE_NONE;
            builder->rows->rows[visit->row].turns = ++turns;
            while (list != PROFILE_NONE) {
                uint32_t node = tree_pop(builder, &list);
                if (!take_member(builder, visit, node))
                    return false;
                tree_push(builder, &members, node);
            }
        }
    } while (take_only_group(builder, visit));
    struct tree_row *row = &builder->rows->rows[visit->row];
    row->members = members;
    if (row->kind == ROW_IMPORT || is_group(builder, row))
        row->turns = 1;
    forget_lines(builder, row);
    return true;
}

static bool is_main(const struct tree_builder *builder, const struct tree_row *row)
{
    uint32_t count;
    size_t len;
    const struct profile_frame *frame =
        profile_frame(builder->profile, builder->functions->functions[row->function].frame);
    if (row->kind != ROW_FUNCTION || frame->kind != FRAME_THREAD)
        return false;
    const struct profile_thread *threads = profile_threads(builder->profile, &count);
    if (count > 0)
        return frame->member < count && threads[frame->member].is_main;
    return strstr(profile_string(builder->profile, frame->name, &len), "MainThread") != NULL;
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct tree_builder *builder = context;
    const struct tree_row *row_a = a;
    const struct tree_row *row_b = b;
    bool is_main_a = is_main(builder, row_a);
    if (is_main_a != is_main(builder, row_b))
        return is_main_a ? -1 : 1;
    if (row_a->total != row_b->total)
        return row_a->total > row_b->total ? -1 : 1;
    if (row_a->kind != row_b->kind)
        return row_a->kind == ROW_IMPORT ? -1 : 1;
    if (row_a->kind == ROW_FUNCTION)
        return functions_compare(builder->functions, row_a->function, row_b->function);
    return (row_a->key > row_b->key) - (row_a->key < row_b->key);
}

static bool is_small(const struct tree_builder *builder, const struct tree_row *row)
{
    double whole = (double)builder->rows->rows[0].total;
    return (double)row->total * 100 < builder->options->min_percent * whole;
}

/* Keeps the children that are worth a row, in order. */
static void keep_children(struct tree_builder *builder, const struct tree_visit *visit)
{
    struct tree_rows *rows = builder->rows;
    struct tree_row *children = rows->rows + visit->first_new;
    uint32_t count = rows->count - visit->first_new;
    qsort_r(children, count, sizeof(*children), compare_rows, builder);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (children[i].total == 0)
            continue;
        if (is_small(builder, &children[i]) && !(is_group(builder, &children[i]) && kept < THREAD_LIMIT)) {
            rows->small_count++;
            rows->small_total += children[i].total;
            continue;
        }
        children[kept++] = children[i];
    }
    rows->count = visit->first_new + kept;
    rows->rows[visit->row].first_child = visit->first_new;
    rows->rows[visit->row].child_count = kept;
}

static struct error *make_rows(struct tree_builder *builder)
{
    struct tree_rows *rows = builder->rows;
    uint32_t root = function_of(builder, PROFILE_ROOT);
    struct tree_row *first =
        tree_add_row(rows, &(struct tree_row){.key = root, .function = root, .parent = PROFILE_NONE});
    if (!first)
        return error_no_memory();
    first->total = builder->totals[PROFILE_ROOT];
    builder->next[PROFILE_ROOT] = PROFILE_NONE;
    first->members = PROFILE_ROOT;
    for (uint32_t i = 0; i < rows->count; i++) {
        struct tree_visit visit = {.row = i, .first_new = rows->count, .pending = rows->rows[i].members};
        if (!gather(builder, &visit))
            return error_no_memory();
        keep_children(builder, &visit);
    }
    return NULL;
}

struct error *tree_rows_init(struct tree_rows *rows, const struct profile *profile, const struct functions *functions,
                             const struct tree_options *options)
{
    *rows = (struct tree_rows){0};
    cleanup_tree_builder struct tree_builder builder = {
        .rows = rows, .profile = profile, .functions = functions, .options = options};
    struct error *error = tree_builder_init(&builder);
    return error ? error : make_rows(&builder);
}

void tree_rows_deinit(struct tree_rows *rows)
{
    free(rows->rows);
    *rows = (struct tree_rows){0};
}
