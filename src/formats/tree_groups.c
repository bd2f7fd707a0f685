/* SPDX-License-Identifier: MIT */
#include "tree_groups.h"

#include "functions.h"
#include "profile/profile.h"
#include "tree_rows.h"

enum {
    FEWEST_HIDDEN = 2,
    VISIBLE_SELF_PERCENT = 20,   /* of the group's time: a row of more self time is seen */
    VISIBLE_IMPORT_PERCENT = 10, /* of the group's time: an import of more is seen */
};

static enum function_class class_of(const struct functions *functions, const struct tree_row *row)
{
    if (row->kind == ROW_FUNCTION)
        return functions->functions[row->function].class;
    bool is_own = row->package != PROFILE_NONE && functions->packages[row->package].is_own;
    return is_own ? FUNCTION_OWN : FUNCTION_LIBRARY;
}

static bool is_library(const struct functions *functions, const struct tree_row *row)
{
    enum function_class class = class_of(functions, row);
    return class == FUNCTION_LIBRARY || class == FUNCTION_IMPORTER || class == FUNCTION_STARTER;
}

/* A mark, such as the garbage collector's, goes with the code in which it stands. */
static bool can_be_inside(const struct functions *functions, const struct tree_row *row)
{
    return is_library(functions, row) || class_of(functions, row) == FUNCTION_MARK;
}

static bool has_own_code(const struct tree_rows *rows, const struct functions *functions)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        if (class_of(functions, &rows->rows[i]) == FUNCTION_OWN)
            return true;
    }
    return false;
}

static bool begins_group(const struct tree_rows *rows, const struct functions *functions, const struct tree_row *row)
{
    if (!is_library(functions, row))
        return false;
    for (uint32_t i = 0; i < row->child_count; i++) {
        if (is_library(functions, &rows->rows[row->first_child + i]))
            return true;
    }
    return false;
}

static bool calls_own_code(const struct tree_rows *rows, const struct functions *functions, const struct tree_row *row)
{
    for (uint32_t i = 0; i < row->child_count; i++) {
        if (!can_be_inside(functions, &rows->rows[row->first_child + i]))
            return true;
    }
    return false;
}

static bool is_worth_seeing(const struct tree_rows *rows, const struct functions *functions, const struct tree_row *row)
{
    const struct tree_row *first = &rows->rows[row->group];
    double percent = row->kind == ROW_IMPORT ? VISIBLE_IMPORT_PERCENT : VISIBLE_SELF_PERCENT;
    uint64_t time = row->kind == ROW_IMPORT ? row->total : row->self;
    return row == first || (double)time * 100 > percent * (double)first->total || calls_own_code(rows, functions, row);
}

/* Rows stand behind those that they are below, so that a group is known before what is in it. */
static void find_group(struct tree_rows *rows, const struct functions *functions, uint32_t index)
{
    struct tree_row *row = &rows->rows[index];
    uint32_t outer = row->parent == PROFILE_NONE ? PROFILE_NONE : rows->rows[row->parent].group;
    if (outer != PROFILE_NONE && can_be_inside(functions, row))
        row->group = outer;
    else if (begins_group(rows, functions, row))
        row->group = index;
    if (row->group == PROFILE_NONE)
        return;
    row->is_hidden = !is_worth_seeing(rows, functions, row);
    rows->rows[row->group].hidden_count += row->is_hidden;
}

/* Takes back a group that hides next to nothing; its first row stands before the others. */
static void show_small_group(struct tree_rows *rows, uint32_t index)
{
    struct tree_row *row = &rows->rows[index];
    if (row->group == PROFILE_NONE || rows->rows[row->group].hidden_count >= FEWEST_HIDDEN)
        return;
    row->is_hidden = false;
    row->hidden_count = 0;
}

static void list_hidden(struct tree_rows *rows, uint32_t index)
{
    struct tree_row *row = &rows->rows[index];
    if (!row->is_hidden)
        return;
    row->next_hidden = rows->rows[row->group].next_hidden;
    rows->rows[row->group].next_hidden = index;
}

void tree_groups_hide(struct tree_rows *rows, const struct functions *functions)
{
    if (!has_own_code(rows, functions))
        return;
    for (uint32_t i = 0; i < rows->count; i++)
        find_group(rows, functions, i);
    for (uint32_t i = 0; i < rows->count; i++)
        show_small_group(rows, i);
    for (uint32_t i = rows->count; i-- > 0;)
        list_hidden(rows, i);
}
