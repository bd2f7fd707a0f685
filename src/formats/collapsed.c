/* SPDX-License-Identifier: MIT */
/*
 * Collapsed stacks: `root;...;leaf<space>count`, one line a distinct stack, the form that every flame graph tool reads.
 *
 * Nothing is quoted in it and readers disagree about comments, decimals and stacks of one frame, so there are none of
 * these. Lines are sorted by their bytes: equal profiles give equal files, and two files can be compared line by line.
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/utf8.h"
#include "label.h"
#include "profile/profile.h"
#include "writers.h"

#include <inttypes.h>
#include <string.h>

struct line {
    size_t offset; /* in lines->text */
    size_t len;
};

struct lines {
    struct buffer text;
    struct line *lines;
    uint32_t count;
};

/*
 * Two frames that differ in the profile can have one text, for example when two files have one short name. So the tree
 * is copied into another whose frames are texts alone: there, one node is one stack text.
 */
struct text_tree {
    struct profile *profile;
    uint32_t *frames; /* frame of the source -> frame of the copy, PROFILE_NONE while not met */
    uint32_t *nodes;  /* node of the source -> node of the copy */
};

static void text_tree_deinit(struct text_tree *tree)
{
    profile_destroy(tree->profile);
    free(tree->frames);
    free(tree->nodes);
}

static void append_name(struct buffer *out, const struct profile *source, uint32_t frame,
                        const struct format_options *options)
{
    cleanup_buffer struct buffer label = {0};
    label_append(&label, source, frame, options);
    escape_collapsed(out, buffer_text(&label), label.len);
    out->failed |= label.failed;
}

static uint32_t intern_text_frame(struct profile *copy, const struct profile *source, uint32_t frame,
                                  const struct format_options *options)
{
    cleanup_buffer struct buffer name = {0};
    append_name(&name, source, frame, options);
    if (name.failed)
        return PROFILE_NONE;
    const struct profile_frame text_frame = {
        .kind = FRAME_PROCESS,
        .name = profile_intern(copy, buffer_text(&name), name.len),
        .file = PROFILE_NONE,
    };
    return profile_intern_frame(copy, &text_frame);
}

/* The node of the copy that counts what ended at the root: a second frame, as readers want a `;` in each line. */
static uint32_t root_stack(struct profile *copy)
{
    uint32_t count;
    return profile_child(copy, PROFILE_ROOT, profile_nodes(copy, &count)[PROFILE_ROOT].frame);
}

/* A node's parent has a smaller number, so that one walk upwards meets each parent before its children. */
static struct error *text_tree_fill(struct text_tree *tree, const struct profile *source,
                                    const struct format_options *options)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(source, &count);
    tree->nodes[PROFILE_ROOT] = PROFILE_ROOT;
    if (nodes[PROFILE_ROOT].self > 0) {
        uint32_t stack = root_stack(tree->profile);
        if (stack == PROFILE_NONE)
            return error_no_memory();
        profile_count(tree->profile, stack, nodes[PROFILE_ROOT].self);
    }
    for (uint32_t i = PROFILE_ROOT + 1; i < count; i++) {
        uint32_t *frame = &tree->frames[nodes[i].frame];
        if (*frame == PROFILE_NONE)
            *frame = intern_text_frame(tree->profile, source, nodes[i].frame, options);
        tree->nodes[i] = profile_child(tree->profile, tree->nodes[nodes[i].parent], *frame);
        if (tree->nodes[i] == PROFILE_NONE)
            return error_no_memory();
        profile_count(tree->profile, tree->nodes[i], nodes[i].self);
    }
    return NULL;
}

static struct error *text_tree_init(struct text_tree *tree, const struct profile *source,
                                    const struct format_options *options)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(source, &count);
    size_t limit = profile_frame_count(source);
    cleanup_buffer struct buffer root = {0};
    append_name(&root, source, nodes[PROFILE_ROOT].frame, options);
    tree->frames = malloc(limit * sizeof(*tree->frames));
    tree->nodes = malloc(count * sizeof(*tree->nodes));
    if (!tree->frames || !tree->nodes || root.failed)
        return error_no_memory();
    memset(tree->frames, 0xff, limit * sizeof(*tree->frames));
    struct error *error = profile_create(buffer_text(&root), "", &tree->profile);
    return error ? error : text_tree_fill(tree, source, options);
}

/*
 * In this form a stack has each name as often as the function is on it: a hundred thousand times, if it must be. So
 * what stands far out in a line that has become too long has only the beginnings of its names.
 */
enum {
    LINE_LIMIT = 1024 * 1024, /* bytes; our own reader takes lines of 16 MB */
    CUT_LEN = 64,             /* bytes that are left of a name then */
};

static void append_frame_name(struct buffer *text, const struct profile *profile, const struct profile_node *node,
                              bool is_long)
{
    size_t len;
    const char *name = profile_string(profile, profile_frame(profile, node->frame)->name, &len);
    size_t kept = is_long ? utf8_cut(name, len, CUT_LEN) : len;
    buffer_append(text, name, kept);
    if (kept < len)
        buffer_append_text(text, "\xe2\x80\xa6");
}

static void append_line(struct buffer *text, const struct profile *profile, const struct profile_node *nodes,
                        uint32_t node, uint32_t *path)
{
    uint32_t depth = 0;
    size_t start = text->len;
    for (uint32_t at = node; at != PROFILE_NONE; at = nodes[at].parent)
        path[depth++] = at;
    while (depth-- > 0) {
        append_frame_name(text, profile, &nodes[path[depth]], text->len - start > LINE_LIMIT);
        buffer_append_char(text, depth > 0 ? ';' : ' ');
    }
    buffer_format(text, "%" PRIu64 "\n", nodes[node].self);
}

/* All lines stand in memory while they are sorted: about as much as the file that is written. */
static struct error *lines_init(struct lines *lines, const struct profile *profile)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    cleanup_free uint32_t *path = malloc(count * sizeof(*path));
    lines->lines = malloc(count * sizeof(*lines->lines));
    if (!path || !lines->lines)
        return error_no_memory();
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].self == 0)
            continue;
        size_t offset = lines->text.len;
        append_line(&lines->text, profile, nodes, i, path);
        lines->lines[lines->count++] = (struct line){offset, lines->text.len - offset};
    }
    return lines->text.failed ? error_no_memory() : NULL;
}

static void lines_deinit(struct lines *lines)
{
    buffer_deinit(&lines->text);
    free(lines->lines);
}

static int compare_lines(const void *a, const void *b, void *context)
{
    const char *text = context;
    const struct line *line_a = a;
    const struct line *line_b = b;
    int order =
        memcmp(text + line_a->offset, text + line_b->offset, line_a->len < line_b->len ? line_a->len : line_b->len);
    return order != 0 ? order : (line_a->len > line_b->len) - (line_a->len < line_b->len);
}

struct error *collapsed_write(const struct profile *profile, const struct format_options *options, FILE *out)
{
    struct text_tree tree __attribute__((cleanup(text_tree_deinit))) = {0};
    struct lines lines __attribute__((cleanup(lines_deinit))) = {0};
    struct error *error = text_tree_init(&tree, profile, options);
    if (!error)
        error = lines_init(&lines, tree.profile);
    if (error)
        return error;
    qsort_r(lines.lines, lines.count, sizeof(*lines.lines), compare_lines, lines.text.data);
    for (uint32_t i = 0; i < lines.count; i++)
        fwrite(lines.text.data + lines.lines[i].offset, 1, lines.lines[i].len, out);
    return NULL;
}
