/* SPDX-License-Identifier: MIT */
/*
 * Reads collapsed stacks: "root;...;leaf count". There is no standard, so it is done as most readers do: the count
 * stands behind the last space, and lines that begin with # are comments.
 *
 * All lines are put together into a tree of texts first, as only the whole tells what the first frame of the stacks is:
 * a name for all of them, as in our own files and those of perf, or a function.
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "collapsed_text.h"
#include "import_source.h"
#include "imported.h"
#include "profile/members.h"
#include "profile/profile.h"

#include <inttypes.h>
#include <string.h>

enum {
    PIECE_LEN = 1 << 16,
    LINE_LEN_LIMIT = 16 << 20, /* a stack of 100,000 frames of 160 bytes */
    AUSTIN_INTERVAL_NS = 1000,
};

static const char root_name[] = "all";
static const char austin_comment[] = "# austin: ";

/* What has been read. */
struct lines {
    struct profile *tree; /* frames are texts, of kind FRAME_PYTHON */
    const struct imported *imported;
    uint64_t number;                          /* of the current line, from 1 */
    uint64_t stacks, unreadable, first_wrong; /* lines that are stacks, that are nothing, and the first one of those */
    uint64_t samples;
    bool is_in_us;   /* a comment says that Austin wrote it, who counts microseconds */
    bool is_austins; /* all stacks begin as Austin's do */
};

static struct error *add_stack(struct lines *lines, const char *stack, size_t len, uint64_t count)
{
    uint32_t node = PROFILE_ROOT, node_count;
    const char *end = stack + len;
    for (const char *at = stack; at < end && node != PROFILE_NONE;) {
        const char *separator = memchr(at, ';', (size_t)(end - at));
        size_t text_len = (size_t)((separator ? separator : end) - at);
        const struct profile_frame frame = {
            .kind = FRAME_PYTHON, .name = profile_intern(lines->tree, at, text_len), .file = PROFILE_NONE};
        if (text_len > 0)
            node = profile_child(lines->tree, node, profile_intern_frame(lines->tree, &frame));
        at += text_len + 1;
    }
    if (node == PROFILE_NONE)
        return error_no_memory();
    if (__builtin_add_overflow(lines->samples, count, &lines->samples))
        return error_create(ERROR_BAD_DATA, "%s has larger counts than can be read", lines->imported->name);
    profile_nodes(lines->tree, &node_count);
    if (node_count > lines->imported->limits->nodes)
        return error_create(ERROR_BAD_DATA, "%s has more different stacks than can be read", lines->imported->name);
    profile_count(lines->tree, node, count);
    return NULL;
}

/* A line that is no stack. */
static struct error *pass_over(struct lines *lines)
{
    if (lines->unreadable++ == 0)
        lines->first_wrong = lines->number;
    return NULL;
}

static bool has_frames(const char *stack, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (stack[i] != ';')
            return true;
    }
    return false;
}

static struct error *add_line(struct lines *lines, const char *line, size_t len)
{
    size_t stack_len;
    uint64_t count;
    lines->number++;
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
        len--;
    if (len == 0)
        return NULL;
    if (line[0] == '#') {
        size_t key_len = sizeof(austin_comment) - 1;
        lines->is_in_us |= len > key_len && memcmp(line, austin_comment, key_len) == 0;
        return NULL;
    }
    if (!collapsed_split(line, len, &stack_len, &count) || !has_frames(line, stack_len))
        return pass_over(lines);
    lines->stacks++;
    lines->is_austins &= collapsed_is_austins(line, stack_len);
    return add_stack(lines, line, stack_len, count);
}

/* Adds the whole lines of what has been read, and leaves the rest. */
static struct error *add_whole_lines(struct lines *lines, struct buffer *text)
{
    char *at = text->data;
    size_t left = text->len;
    for (char *end; (end = memchr(at, '\n', left));) {
        struct error *error = add_line(lines, at, (size_t)(end - at));
        if (error)
            return error;
        left -= (size_t)(end + 1 - at);
        at = end + 1;
    }
    memmove(text->data, at, left);
    text->len = left;
    return left <= LINE_LEN_LIMIT ? NULL
                                  : error_create(ERROR_BAD_DATA, "line %" PRIu64 " of %s is longer than any stack",
                                                 lines->number + 1, lines->imported->name);
}

static struct error *read_lines(struct lines *lines, struct import_source *source, struct buffer *text)
{
    for (size_t len = 1; len > 0;) {
        struct error *error = add_whole_lines(lines, text);
        char *piece = error ? NULL : buffer_reserve(text, PIECE_LEN);
        if (!error && !piece)
            return error_no_memory();
        if (!error)
            error = import_source_read(source, piece, PIECE_LEN, &len);
        if (error)
            return error;
        text->len += len;
    }
    return add_line(lines, text->data, text->len);
}

/* What a node of the tree of texts became. */
struct place {
    uint32_t node;
    uint32_t process, thread;
    enum { AT_ROOT, AT_PROCESS, AT_THREAD, IN_STACK } depth;
};

struct conversion {
    struct imported *imported;
    const struct profile *tree;
    const struct profile_node *nodes;
    uint32_t count;
    bool is_austins;
    uint32_t root;        /* the node that names all; PROFILE_NONE: there is none */
    uint32_t *frames;     /* by frame of the tree: the one of the profile, PROFILE_NONE while there is none */
    struct place *places; /* by node of the tree */
};

static const char *text_of(const struct conversion *conversion, uint32_t node, size_t *ret_len)
{
    const struct profile_frame *frame = profile_frame(conversion->tree, conversion->nodes[node].frame);
    return profile_string(conversion->tree, frame->name, ret_len);
}

static bool read_process(const struct conversion *conversion, const char *text, size_t len,
                         struct collapsed_process *ret)
{
    return collapsed_read_process(text, len, ret) ||
           (conversion->is_austins && collapsed_read_short_process(text, len, ret));
}

static bool read_thread(const struct conversion *conversion, const char *text, size_t len, struct collapsed_thread *ret)
{
    return collapsed_read_thread(text, len, ret) ||
           (conversion->is_austins && collapsed_read_short_thread(text, len, ret));
}

/* Whether a text is a process, a thread, or a frame of Python as we write them: no other name. */
static bool is_of_python(const struct conversion *conversion, uint32_t node)
{
    size_t len;
    struct collapsed_process process;
    struct collapsed_thread thread;
    const char *text = text_of(conversion, node, &len);
    const struct collapsed_frame frame = collapsed_read_frame(text, len);
    return text[0] == '<' || frame.file.text || frame.kind == FRAME_KERNEL ||
           read_process(conversion, text, len, &process) || read_thread(conversion, text, len, &thread);
}

/*
 * The first frame that all stacks have, when it names them all and is none of the program: it is not of Python, and
 * everything below it is. Where no frame tells a file, a function looks as a name does, and only our own name for all
 * is taken for one.
 */
static uint32_t find_root(const struct conversion *conversion)
{
    size_t len;
    uint32_t first = PROFILE_ROOT + 1; /* that of the first stack */
    bool is_ours = strcmp(text_of(conversion, first, &len), root_name) == 0, has_children = false;
    if (is_of_python(conversion, first))
        return PROFILE_NONE;
    for (uint32_t i = first + 1; i < conversion->count; i++) {
        const struct profile_node *node = &conversion->nodes[i];
        if (node->parent == PROFILE_ROOT)
            return PROFILE_NONE;
        bool is_same = node->frame == conversion->nodes[first].frame; /* how we write samples of the root itself */
        if (node->parent == first && !is_ours && !is_same && !is_of_python(conversion, i))
            return PROFILE_NONE;
        has_children = true;
    }
    return has_children ? first : PROFILE_NONE;
}

static uint32_t optional_string(struct imported *imported, struct text_piece piece)
{
    return piece.text ? imported_string(imported, piece.text, piece.len) : PROFILE_NONE;
}

static uint32_t find_frame(struct conversion *conversion, uint32_t text_frame)
{
    uint32_t *known = &conversion->frames[text_frame];
    if (*known != PROFILE_NONE)
        return *known;
    size_t len;
    const char *text = profile_string(conversion->tree, profile_frame(conversion->tree, text_frame)->name, &len);
    const struct collapsed_frame read = collapsed_read_frame(text, len);
    const struct profile_frame frame = {
        .kind = read.kind,
        .name = optional_string(conversion->imported, read.name),
        .file = optional_string(conversion->imported, read.file),
        .line = read.line,
    };
    *known = imported_frame(conversion->imported, frame);
    return *known;
}

static uint32_t make_process(const struct conversion *conversion, const struct collapsed_process *read)
{
    const struct profile_process process = {
        .pid = read->pid,
        .command_line = optional_string(conversion->imported, read->command),
        .python_version = PROFILE_NONE,
    };
    return imported_process(conversion->imported, &process);
}

/* Makes a thread, of a process that nothing is known of when there is none. */
static uint32_t make_thread(const struct conversion *conversion, const struct place *place,
                            const struct collapsed_thread *read)
{
    const struct collapsed_process unknown = {0};
    const struct profile_thread thread = {
        .process = place->process == PROFILE_NONE ? make_process(conversion, &unknown) : place->process,
        .os_id = read->os_id,
        .id = read->id,
        .name = optional_string(conversion->imported, read->name),
    };
    return imported_thread(conversion->imported, &thread);
}

/* Tries to take a text for a process or a thread; where there are several processes, the last one counts. */
static bool take_group(const struct conversion *conversion, uint32_t node, struct place *place)
{
    size_t len;
    struct collapsed_process process;
    struct collapsed_thread thread;
    const char *text = text_of(conversion, node, &len);
    if (place->depth <= AT_PROCESS && read_process(conversion, text, len, &process)) {
        place->process = make_process(conversion, &process);
        place->depth = AT_PROCESS;
        return true;
    }
    if (place->depth <= AT_PROCESS && read_thread(conversion, text, len, &thread)) {
        place->thread = make_thread(conversion, place, &thread);
        place->depth = AT_THREAD;
        return true;
    }
    return false;
}

static struct error *convert_node(struct conversion *conversion, uint32_t node)
{
    const struct profile_node *seen = &conversion->nodes[node];
    struct place *place = &conversion->places[node];
    *place = conversion->places[seen->parent];
    bool is_root = conversion->root != PROFILE_NONE && place->depth == AT_ROOT &&
                   seen->frame == conversion->nodes[conversion->root].frame;
    if (!is_root && !take_group(conversion, node, place)) {
        place->depth = IN_STACK;
        struct error *error = imported_step(conversion->imported, find_frame(conversion, seen->frame), &place->node);
        if (error)
            return error;
    }
    if (seen->self == 0)
        return NULL;
    const struct collapsed_thread unknown = {0};
    uint32_t thread = place->thread == PROFILE_NONE ? make_thread(conversion, place, &unknown) : place->thread;
    return imported_add(conversion->imported, thread, place->node, seen->self, SAMPLE_ACTIVE);
}

/* A node's parent has a smaller number, so that one walk upwards meets each parent before its children. */
static struct error *convert(struct conversion *conversion)
{
    conversion->places[PROFILE_ROOT] =
        (struct place){.node = PROFILE_ROOT, .process = PROFILE_NONE, .thread = PROFILE_NONE, .depth = AT_ROOT};
    struct error *error = NULL;
    for (uint32_t i = PROFILE_ROOT + 1; !error && i < conversion->count; i++)
        error = convert_node(conversion, i);
    return error ? error : imported_finish(conversion->imported);
}

static struct error *begin_recording(const struct conversion *conversion, const struct lines *lines, int fd)
{
    size_t len;
    struct imported *imported = conversion->imported;
    bool has_root = conversion->root != PROFILE_NONE;
    cleanup_buffer struct buffer root = {0};
    const char *text = has_root ? text_of(conversion, conversion->root, &len) : root_name;
    escape_visible(&root, text, strlen(text));
    if (root.failed)
        return error_no_memory();
    struct error *error =
        imported_init(imported, fd, buffer_text(&root), has_root ? buffer_text(&root) : imported->name);
    if (error)
        return error;
    if (lines->is_in_us)
        profile_info(imported->profile)->interval_ns = AUSTIN_INTERVAL_NS;
    else
        imported_assume_interval(imported, lines->samples);
    return NULL;
}

static struct error *convert_lines(struct imported *imported, const struct lines *lines, int fd)
{
    struct conversion conversion = {.imported = imported, .tree = lines->tree, .is_austins = lines->is_austins};
    conversion.nodes = profile_nodes(lines->tree, &conversion.count);
    uint32_t frame_count = profile_frame_count(lines->tree);
    cleanup_free uint32_t *frames = malloc(frame_count * sizeof(*frames));
    cleanup_free struct place *places = malloc(conversion.count * sizeof(*places));
    if (!frames || !places)
        return error_no_memory();
    memset(frames, 0xff, frame_count * sizeof(*frames));
    conversion.frames = frames;
    conversion.places = places;
    conversion.root = find_root(&conversion);
    struct error *error = begin_recording(&conversion, lines, fd);
    return error ? error : convert(&conversion);
}

/* Says what could not be read; an error when that is everything. */
static struct error *judge(const struct lines *lines)
{
    const struct imported *imported = lines->imported;
    if (lines->stacks == 0 && lines->unreadable == 0)
        return error_create(ERROR_BAD_DATA, "%s has no stacks", imported->name);
    if (lines->stacks == 0)
        return error_create(ERROR_BAD_DATA,
                            "%s is nothing that can be read: no recording, no pprof file, and line %" PRIu64
                            " is no collapsed stack, which would be 'a;b;c 12'",
                            imported->name, lines->first_wrong);
    if (lines->unreadable > 0) {
        cleanup_buffer struct buffer shown = {0};
        escape_visible(&shown, imported->name, strlen(imported->name));
        buffer_format(imported->notes,
                      "%" PRIu64 " of the lines of %s are no stacks and were left out, from line %" PRIu64 " on\n",
                      lines->unreadable, buffer_text(&shown), lines->first_wrong);
    }
    return NULL;
}

struct error *import_collapsed(struct imported *imported, struct import_source *source, struct buffer *begin, int fd)
{
    cleanup_profile struct profile *tree = NULL;
    struct error *error = profile_create("", "", &tree);
    if (error)
        return error;
    struct lines lines = {.tree = tree, .imported = imported, .is_austins = true};
    error = read_lines(&lines, source, begin);
    if (!error)
        error = judge(&lines);
    return error ? error : convert_lines(imported, &lines, fd);
}
