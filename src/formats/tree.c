/* SPDX-License-Identifier: MIT */
/*
 * The text tree: what took the time, from the outside in, for reading in a terminal.
 *
 *     11.06s  100%  <module>              conv2d.py:19 → 269
 *      4.80s   43%  ├─ load_batch         conv2d.py:131 → 136
 *      4.70s   42%  │  └─ MNIST.__getitem__  torchvision/datasets/mnist.py:130 → 144
 *                   │        [12 frames hidden: torch, PIL; --show-all shows them]
 *
 * Amounts stand in columns of their own, as they are what the eye compares. Behind a function come the place where it
 * begins and the line of it that took most time.
 */
#include "alike.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "caption.h"
#include "flat.h"
#include "formats/formats.h"
#include "functions.h"
#include "module_name.h"
#include "profile/profile.h"
#include "report.h"
#include "tree_groups.h"
#include "tree_lines.h"
#include "tree_rows.h"
#include "writers.h"

#include <inttypes.h>
#include <string.h>

enum {
    STEP = 3,             /* columns that a depth takes */
    FEWEST_LEVELS = 4,    /* that are drawn in a narrow window, */
    MOST_LEVELS = 100,    /* and in a wide one */
    LIBRARIES_WIDTH = 40, /* of the names of what is hidden; as in pyinstrument */
};

struct tree {
    struct report report;
    struct functions functions;
    struct tree_rows rows;
    struct tree_lines lines;
    bool *goes_on;      /* by depth: whether another line of that depth follows under the same parent */
    bool has_told_how;  /* to see what is hidden */
    bool has_hot_lines; /* some place is written as begin and hot line */
    size_t label_width;
};

static void tree_deinit(struct tree *tree)
{
    functions_deinit(&tree->functions);
    tree_rows_deinit(&tree->rows);
    tree_lines_deinit(&tree->lines);
    free(tree->goes_on);
}

/* What a line says, before it is cut. */
struct line_text {
    struct buffer name;
    struct buffer behind; /* belongs to the name, but is less important */
    struct place place;
    enum paint paint;
};

static void line_text_deinit(struct line_text *text)
{
    buffer_deinit(&text->name);
    buffer_deinit(&text->behind);
    buffer_deinit(&text->place.text);
}

static size_t amounts_columns(const struct tree *tree)
{
    return report_amount_columns(&tree->report) + REPORT_GAP;
}

/* Levels of the tree that stand in front of a line: of a deep one not all, above all in a narrow window. */
static uint32_t shown_depth(const struct tree *tree, uint32_t depth)
{
    uint32_t width = tree->report.options->tree.width;
    uint32_t limit = width == 0 ? MOST_LEVELS : width / 2 / STEP;
    limit = limit > FEWEST_LEVELS ? limit : FEWEST_LEVELS;
    return depth > limit ? limit : depth;
}

/* What a function and the comprehensions and lambdas in it have in front of their names from 3.11 on. */
static size_t outer_prefix(const struct tree *tree, const struct tree_row *row, const char *name, size_t len)
{
    static const char locals[] = ".<locals>.";
    const struct tree_row *outer = row->parent == PROFILE_NONE ? NULL : &tree->rows.rows[row->parent];
    if (!outer || outer->kind != ROW_FUNCTION || outer->is_hidden)
        return 0;
    size_t outer_len;
    const struct profile *profile = tree->report.profile;
    uint32_t frame = tree->functions.functions[outer->function].frame;
    const char *outer_name = profile_string(profile, profile_frame(profile, frame)->name, &outer_len);
    if (len <= outer_len || memcmp(name, outer_name, outer_len) != 0)
        return 0;
    const char *rest = name + outer_len;
    if (strncmp(rest, locals, strlen(locals)) == 0)
        rest += strlen(locals);
    else if (*rest == '.')
        rest++;
    return *rest == '<' ? (size_t)(rest - name) : 0;
}

/* Of threads, and of processes, of which a function may have several. */
static void show_group(const struct tree *tree, const struct tree_row *row, struct buffer *out)
{
    cleanup_buffer struct buffer name = {0};
    if (row->node_count < 2) {
        report_show_name(&tree->report, out, row->frame);
        return;
    }
    alike_append_name(&name, tree->report.profile, row->frame, row->node_count);
    report_show(&tree->report, out, buffer_text(&name), name.len);
    out->failed |= name.failed;
}

static void show_name(const struct tree *tree, const struct tree_row *row, struct buffer *out)
{
    size_t len;
    const struct profile *profile = tree->report.profile;
    if (tree->functions.functions[row->function].class == FUNCTION_GROUP) {
        show_group(tree, row, out);
        return;
    }
    uint32_t frame = tree->functions.functions[row->function].frame;
    const char *name = profile_string(profile, profile_frame(profile, frame)->name, &len);
    size_t prefix = outer_prefix(tree, row, name, len);
    if (prefix > 0)
        report_show(&tree->report, out, name + prefix, len - prefix);
    else
        report_show_name(&tree->report, out, frame);
}

static void show_function(const struct tree *tree, const struct tree_row *row, struct line_text *text)
{
    const struct function *function = &tree->functions.functions[row->function];
    show_name(tree, row, &text->name);
    if (row->turns > 1)
        buffer_format(&text->behind, " ×%u deep", row->turns);
    bool is_own = function->class == FUNCTION_OWN || function->class == FUNCTION_GROUP;
    text->paint = is_own ? PAINT_STRONG : PAINT_PLAIN;
    if (function->class != FUNCTION_GROUP)
        report_show_function(&tree->report, &text->place,
                             row->hot_frame != PROFILE_NONE ? row->hot_frame : function->frame);
}

static void show_import(const struct tree *tree, const struct tree_row *row, struct line_text *text)
{
    buffer_append_text(&text->name, row->package == PROFILE_NONE ? "import system" : "importing ");
    report_show(&tree->report, &text->name, buffer_text(&tree->functions.text) + row->name, row->name_len);
    if (row->hot_frame != PROFILE_NONE)
        report_show_line(&tree->report, &text->place, row->hot_frame);
}

/* The package or module that a hidden row belongs to, as raw text. */
static void append_library(const struct tree *tree, const struct tree_row *row, struct buffer *out)
{
    const struct functions *functions = &tree->functions;
    if (row->kind == ROW_IMPORT) {
        buffer_append(out, buffer_text(&functions->text) + row->name,
                      module_name_top(buffer_text(&functions->text) + row->name, row->name_len));
        return;
    }
    const struct profile_frame *frame = profile_frame(tree->report.profile, functions->functions[row->function].frame);
    if (frame->kind == FRAME_NATIVE)
        library_name_append(out, tree->report.profile, frame->file);
    if (frame->kind != FRAME_PYTHON)
        return;
    module_name_append(out, tree->report.profile, frame->file);
    if (!out->failed)
        out->len = module_name_top(out->data, out->len);
}

/* Whether one of the names, which are separated by ", ", is this one. */
static bool has_name(const struct buffer *names, const struct buffer *name)
{
    const char *text = buffer_text(names);
    for (size_t at = 0; at < names->len;) {
        const char *end = strstr(text + at, ", ");
        size_t len = end ? (size_t)(end - text) - at : names->len - at;
        if (len == name->len && memcmp(text + at, name->data, len) == 0)
            return true;
        at += len + strlen(", ");
    }
    return false;
}

/* Adds the libraries that are hidden in a group, those of its outer rows first, in so many columns. */
static void add_libraries(const struct tree *tree, uint32_t first, size_t columns, struct buffer *names)
{
    const struct tree_row *rows = tree->rows.rows;
    for (uint32_t i = rows[first].next_hidden; i != PROFILE_NONE; i = rows[i].next_hidden) {
        cleanup_buffer struct buffer raw = {0}, name = {0};
        append_library(tree, &rows[i], &raw);
        report_show(&tree->report, &name, buffer_text(&raw), raw.len);
        names->failed |= raw.failed || name.failed;
        if (name.len == 0 || has_name(names, &name))
            continue;
        const char *separator = names->len > 0 ? ", " : "";
        size_t used = utf8_text_columns(buffer_text(names), names->len) + strlen(separator);
        buffer_append_text(names, separator);
        if (used + utf8_text_columns(buffer_text(&name), name.len) > columns) {
            buffer_append_text(names, "…");
            return;
        }
        buffer_append(names, name.data, name.len);
    }
}

/* How to see them is said once, where there is room for it. */
static void show_hidden(struct tree *tree, const struct tree_line *line, struct line_text *text)
{
    static const char how[] = "; --show-all shows them";
    cleanup_buffer struct buffer names = {0};
    uint32_t width = tree->report.options->tree.width;
    size_t used = amounts_columns(tree) + STEP * (size_t)shown_depth(tree, line->depth);
    buffer_format(&text->behind, "[%u frames hidden", tree->rows.rows[line->row].hidden_count);
    used += text->behind.len + strlen(": , …]");
    size_t room = width == 0 ? SIZE_MAX : width > used ? width - used : 0;
    add_libraries(tree, line->row, room < LIBRARIES_WIDTH ? room : LIBRARIES_WIDTH, &names);
    if (names.len > 0 && room > 0)
        buffer_format(&text->behind, ": %s", buffer_text(&names));
    if (!tree->has_told_how && room >= names.len + strlen(how)) {
        buffer_append_text(&text->behind, how);
        tree->has_told_how = true;
    }
    buffer_append_char(&text->behind, ']');
    text->behind.failed |= names.failed;
}

static void show_line(struct tree *tree, const struct tree_line *line, struct line_text *text)
{
    const struct tree_row *row = &tree->rows.rows[line->row];
    switch (line->kind) {
    case LINE_ROW:
        if (row->kind == ROW_FUNCTION)
            show_function(tree, row, text);
        else
            show_import(tree, row, text);
        break;
    case LINE_SELF:
        buffer_append_text(&text->name, "[self]");
        text->paint = PAINT_FAINT;
        if (row->self_frame != PROFILE_NONE)
            report_show_line(&tree->report, &text->place, row->self_frame);
        break;
    case LINE_HIDDEN:
        show_hidden(tree, line, text);
        break;
    }
    tree->report.line.failed |= text->name.failed || text->behind.failed || text->place.text.failed;
}

/* Columns of what stands between amounts and places. */
static size_t label_columns(const struct tree *tree, const struct tree_line *line, const struct line_text *text)
{
    return STEP * (size_t)shown_depth(tree, line->depth) + utf8_text_columns(buffer_text(&text->name), text->name.len) +
           utf8_text_columns(buffer_text(&text->behind), text->behind.len);
}

/* How many columns the labels get: what they need, as far as places have room beside them. */
static void measure(struct tree *tree)
{
    size_t widest_place = 0;
    size_t widest_label = 0;
    for (uint32_t i = 0; i < tree->lines.count; i++) {
        struct line_text text __attribute__((cleanup(line_text_deinit))) = {0};
        const struct tree_line *line = &tree->lines.lines[i];
        if (line->kind == LINE_HIDDEN)
            continue;
        show_line(tree, line, &text);
        size_t columns = label_columns(tree, line, &text);
        size_t place = utf8_text_columns(buffer_text(&text.place.text), text.place.text.len);
        widest_label = columns > widest_label ? columns : widest_label;
        widest_place = place > widest_place ? place : widest_place;
        tree->has_hot_lines |= strstr(buffer_text(&text.place.text), "→") != NULL;
    }
    tree->label_width = report_label_width(&tree->report, amounts_columns(tree), widest_label, widest_place);
}

static void append_level(struct tree *tree, uint32_t depth)
{
    report_append_text(&tree->report, PAINT_FAINT, tree->goes_on[depth] ? "│  " : "   ");
}

/* The lines that lead from the outer rows to this one. */
static void append_branches(struct tree *tree, const struct tree_line *line)
{
    uint32_t depth = line->depth;
    if (line->kind != LINE_HIDDEN)
        tree->goes_on[depth] = !line->is_last;
    if (depth == 0)
        return;
    uint32_t first = depth + 1 - shown_depth(tree, depth);
    for (uint32_t i = first; i < depth; i++) {
        if (i == first && first > 1)
            report_append_text(&tree->report, PAINT_FAINT, "…  ");
        else
            append_level(tree, i);
    }
    if (line->kind == LINE_HIDDEN)
        report_append_text(&tree->report, PAINT_FAINT, line->is_last ? "   " : "│  ");
    else
        report_append_text(&tree->report, PAINT_FAINT, line->is_last ? "└─ " : "├─ ");
}

/* Appends name and place in as many columns as there are; the name goes first. */
static void append_text(struct tree *tree, const struct tree_line *line, const struct line_text *text)
{
    struct report *report = &tree->report;
    uint32_t width = report->options->tree.width;
    size_t amounts = amounts_columns(tree);
    size_t branches = STEP * (size_t)shown_depth(tree, line->depth);
    size_t label = label_columns(tree, line, text);
    if (width > 0 && amounts + label > width) {
        bool has_name = text->name.len > 0;
        report_append_cut(report, has_name ? text->paint : PAINT_FAINT, has_name ? &text->name : &text->behind,
                          width > amounts + branches ? width - amounts - branches : 1);
        return;
    }
    report_append(report, text->paint, buffer_text(&text->name), text->name.len);
    report_append(report, PAINT_FAINT, buffer_text(&text->behind), text->behind.len);
    report_append_place(report, &text->place, amounts + label, amounts + tree->label_width);
}

static void write_line(struct tree *tree, const struct tree_line *line)
{
    struct line_text text __attribute__((cleanup(line_text_deinit))) = {0};
    show_line(tree, line, &text);
    if (line->kind == LINE_HIDDEN)
        report_append_spaces(&tree->report, report_amount_columns(&tree->report));
    else
        report_append_amount(&tree->report, line->time);
    report_append_spaces(&tree->report, REPORT_GAP);
    append_branches(tree, line);
    append_text(tree, line, &text);
    report_end_line(&tree->report);
}

static uint64_t count_hidden(const struct tree *tree)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < tree->lines.count; i++) {
        if (tree->lines.lines[i].kind == LINE_HIDDEN)
            count += tree->rows.rows[tree->lines.lines[i].row].hidden_count;
    }
    return count;
}

/* What is not shown, and how to see it; and how to read places. */
static void write_legend(struct tree *tree)
{
    const struct tree_options *options = &tree->report.options->tree;
    cleanup_buffer struct buffer text = {0}, places = {0};
    uint64_t hidden_count = count_hidden(tree);
    const char *separator = "not shown: ";
    if (tree->rows.small_count > 0) {
        buffer_format(&text, "%s%u row%s below %g%% (--min-percent 0)", separator, tree->rows.small_count,
                      tree->rows.small_count == 1 ? "" : "s", options->min_percent);
        separator = ", ";
    }
    if (tree->lines.deep_count > 0) {
        buffer_format(&text, "%s%u deeper than %u (--depth 0)", separator, tree->lines.deep_count, options->depth);
        separator = ", ";
    }
    if (hidden_count > 0)
        buffer_format(&text, "%s%" PRIu64 " of libraries (--show-all)", separator, hidden_count);
    if (tree->has_hot_lines)
        buffer_append_text(&places, "file:12 → 34: begins at line 12, most time at line 34");
    if (text.len > 0 || places.len > 0)
        report_end_line(&tree->report);
    report_write_text(&tree->report, PAINT_FAINT, &text);
    report_write_text(&tree->report, PAINT_FAINT, &places);
}

static struct error *make_lines(struct tree *tree, const struct profile *profile, const struct format_options *options)
{
    cleanup_alike struct alike alike = {0};
    bool are_apart = options->detail.with_threads;
    struct error *error = are_apart ? NULL : alike_init(&alike, profile);
    if (!error)
        error = functions_init(&tree->functions, profile, are_apart ? NULL : &alike);
    if (!error)
        error = tree_rows_init(&tree->rows, profile, &tree->functions, &options->tree);
    if (error)
        return error;
    if (!options->tree.show_all)
        tree_groups_hide(&tree->rows, &tree->functions);
    error = tree_lines_init(&tree->lines, &tree->rows, &tree->functions, &options->tree);
    if (error)
        return error;
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < tree->lines.count; i++)
        deepest = tree->lines.lines[i].depth > deepest ? tree->lines.lines[i].depth : deepest;
    tree->goes_on = calloc(deepest + (size_t)1, sizeof(*tree->goes_on));
    return tree->goes_on ? NULL : error_no_memory();
}

struct error *tree_write(const struct profile *profile, const struct format_options *options, FILE *out)
{
    if (options->tree.only_self)
        return flat_write(profile, options, out);
    struct tree tree __attribute__((cleanup(tree_deinit))) = {0};
    struct error *error = make_lines(&tree, profile, options);
    if (error)
        return error;
    report_init(&tree.report, profile, &tree.functions, options, tree.rows.rows[0].total, out);
    measure(&tree);
    report_head(&tree.report);
    for (uint32_t i = 0; i < tree.lines.count; i++)
        write_line(&tree, &tree.lines.lines[i]);
    write_legend(&tree);
    return report_deinit(&tree.report) ? error_no_memory() : NULL;
}
