/* SPDX-License-Identifier: MIT */
#include "tree_lines.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "formats/tree_options.h"
#include "functions.h"
#include "profile/profile.h"
#include "tree_rows.h"

/* Lines that are to be written yet, the next one at the end. */
struct stack {
    struct tree_line *lines;
    uint32_t count, capacity;
};

struct arrangement {
    const struct tree_rows *rows;
    const struct functions *functions;
    const struct tree_options *options;
    struct stack stack;
    struct tree_lines *lines;
};

static bool push_line(struct stack *stack, const struct tree_line *line)
{
    if (!array_grow(&stack->lines, stack->count, &stack->capacity, sizeof(*stack->lines)))
        return false;
    stack->lines[stack->count++] = *line;
    return true;
}

/* Least time first: the stack is emptied from its end. */
static int compare_lines(const void *a, const void *b)
{
    const struct tree_line *line_a = a;
    const struct tree_line *line_b = b;
    if (line_a->time != line_b->time)
        return line_a->time > line_b->time ? 1 : -1;
    if (line_a->kind != line_b->kind)
        return line_a->kind == LINE_SELF ? 1 : -1;
    return (line_a->row < line_b->row) - (line_a->row > line_b->row);
}

/*
 * Puts a row's children on the stack, and those of hidden children in their place: hidden ones stand above `first`
 * too until they are replaced. *ret_mixed tells that children of several rows are together now.
 */
static bool push_children(struct arrangement *arrangement, uint32_t row, uint32_t depth, bool *ret_mixed)
{
    const struct tree_row *rows = arrangement->rows->rows;
    struct stack *stack = &arrangement->stack;
    for (uint32_t i = rows[row].child_count; i-- > 0;) {
        uint32_t child = rows[row].first_child + i;
        const struct tree_line line = {.kind = LINE_ROW, .row = child, .depth = depth, .time = rows[child].total};
        if (!push_line(stack, &line))
            return false;
        *ret_mixed |= rows[child].is_hidden;
    }
    return true;
}

static bool replace_hidden(struct arrangement *arrangement, uint32_t first)
{
    struct stack *stack = &arrangement->stack;
    bool unused = false;
    for (uint32_t i = first; i < stack->count;) {
        struct tree_line line = stack->lines[i];
        if (!arrangement->rows->rows[line.row].is_hidden) {
            i++;
            continue;
        }
        stack->lines[i] = stack->lines[--stack->count];
        if (!push_children(arrangement, line.row, line.depth, &unused))
            return false;
    }
    return true;
}

/* Whether the row's own time is worth a line: not that of an import, which says nothing more. */
static bool has_self_line(const struct arrangement *arrangement, const struct tree_row *row)
{
    double whole = (double)arrangement->rows->rows[0].total;
    return row->kind == ROW_FUNCTION && row->self > 0 &&
           (double)row->self * 100 >= arrangement->options->min_percent * whole;
}

static bool has_groups(const struct arrangement *arrangement, const struct tree_row *row)
{
    const struct tree_row *child = &arrangement->rows->rows[row->first_child];
    return row->child_count > 0 && child->kind == ROW_FUNCTION &&
           arrangement->functions->functions[child->function].class == FUNCTION_GROUP;
}

/* Puts what comes below a row on the stack. The row's own time goes last where threads have an order of their own. */
static bool push_below(struct arrangement *arrangement, uint32_t index, uint32_t depth)
{
    const struct tree_row *row = &arrangement->rows->rows[index];
    const struct tree_line self = {.kind = LINE_SELF, .row = index, .depth = depth, .time = row->self};
    struct stack *stack = &arrangement->stack;
    uint32_t first = stack->count;
    bool has_self = has_self_line(arrangement, row);
    if (has_self && !push_line(stack, &self))
        return false;
    uint32_t first_child = stack->count;
    bool is_mixed = false;
    if (!push_children(arrangement, index, depth, &is_mixed) || (is_mixed && !replace_hidden(arrangement, first_child)))
        return false;
    if (has_self && stack->count == first_child && index != 0)
        stack->count = first;
    if (is_mixed || (has_self && !has_groups(arrangement, row)))
        qsort(stack->lines + first, stack->count - first, sizeof(*stack->lines), compare_lines);
    if (stack->count > first)
        stack->lines[first].is_last = true;
    return true;
}

static bool take_line(struct arrangement *arrangement, const struct tree_line *line)
{
    struct tree_lines *lines = arrangement->lines;
    uint32_t limit = arrangement->options->depth;
    if (limit > 0 && line->depth >= limit) {
        lines->deep_count += line->kind == LINE_ROW;
        return true;
    }
    if (!array_grow(&lines->lines, lines->count, &lines->capacity, sizeof(*line)))
        return false;
    lines->lines[lines->count++] = *line;
    return true;
}

static bool arrange(struct arrangement *arrangement)
{
    if (!push_below(arrangement, 0, 0))
        return false;
    struct stack *stack = &arrangement->stack;
    while (stack->count > 0) {
        struct tree_line line = stack->lines[--stack->count];
        if (!take_line(arrangement, &line))
            return false;
        if (line.kind != LINE_ROW)
            continue;
        uint32_t before = stack->count;
        if (!push_below(arrangement, line.row, line.depth + 1))
            return false;
        const struct tree_line hidden = {
            .kind = LINE_HIDDEN, .row = line.row, .depth = line.depth + 1, .is_last = stack->count == before};
        if (arrangement->rows->rows[line.row].hidden_count > 0 && !take_line(arrangement, &hidden))
            return false;
    }
    return true;
}

struct error *tree_lines_init(struct tree_lines *lines, const struct tree_rows *rows, const struct functions *functions,
                              const struct tree_options *options)
{
    *lines = (struct tree_lines){0};
    struct arrangement arrangement = {.rows = rows, .functions = functions, .options = options, .lines = lines};
    bool is_done = arrange(&arrangement);
    free(arrangement.stack.lines);
    return is_done ? NULL : error_no_memory();
}

void tree_lines_deinit(struct tree_lines *lines)
{
    free(lines->lines);
    *lines = (struct tree_lines){0};
}
