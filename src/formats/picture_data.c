/* SPDX-License-Identifier: MIT */
/*
 * What the script of the flame graph reads, in <metadata data-pyspyc="..."> elements:
 *
 *   info          a JSON object: title, facts, interval, counts, geometry, families of colours; what the picture beside
 *                 it shows; and for each thread of members.h its process and whether it is the main one
 *   strings       JSON arrays that follow each other: names and files, each once
 *   kind, member, colour, name, file, short, line, first
 *                 columns (see columns.h) with one number a frame: enum frame_kind, the thread or process of a group,
 *                 family * COLOUR_SHADES + shade, then numbers of strings plus 1 (0: none), then the line that is
 *                 executed and the function's first one, each 32 bits in two's complement
 *   nodes         one column with all nodes of the tree, depth first: frame << 1 | ends, and when `ends` is set, the
 *                 node's own samples and how many levels up the walk goes from its child's place to the next node's
 *   amounts       only of two recordings, see picture_diff.h: for each node with samples of its own on any side, in the
 *                 same order, how many nodes without were passed over, and the samples before and after; at the end how
 *                 many more nodes there are
 *
 * Most nodes have one child and no samples of their own: they cost one number.
 */
#include "base/cleanup.h"
#include "base/escape.h"
#include "colour.h"
#include "columns.h"
#include "formats/formats.h"
#include "picture.h"
#include "picture_diff.h"
#include "profile/calltree.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "walk.h"

#include <inttypes.h>
#include <stdbool.h>

enum { STRINGS_PER_ELEMENT = 1 << 20 }; /* bytes; strict XML parsers refuse text of more than 10 MB */

struct data {
    const struct picture *picture; /* what stands beside the data */
    const struct profile *profile; /* whose data they are */
    const struct calltree *tree;
};

/* Frames and strings of the profile, numbered anew in the order in which the tree needs them. */
struct numbering {
    uint32_t *numbers; /* old -> new; PROFILE_NONE while it has none */
    uint32_t *members; /* new -> old */
    uint32_t limit;    /* above every old number */
    uint32_t count;
};

static void numbering_deinit(struct numbering *numbering)
{
    free(numbering->numbers);
    free(numbering->members);
}

static struct error *numbering_init(struct numbering *numbering, uint32_t limit)
{
    numbering->numbers = malloc((limit + (size_t)1) * sizeof(*numbering->numbers));
    numbering->members = malloc((limit + (size_t)1) * sizeof(*numbering->members));
    numbering->limit = limit;
    if (!numbering->numbers || !numbering->members)
        return error_no_memory();
    for (uint32_t i = 0; i < limit; i++)
        numbering->numbers[i] = PROFILE_NONE;
    return NULL;
}

static uint32_t number_of(struct numbering *numbering, uint32_t old)
{
    if (numbering->numbers[old] == PROFILE_NONE) {
        numbering->members[numbering->count] = old;
        numbering->numbers[old] = numbering->count++;
    }
    return numbering->numbers[old];
}

#define cleanup_numbering __attribute__((cleanup(numbering_deinit)))

static struct error *write_nodes(const struct calltree *tree, struct numbering *frames, FILE *out)
{
    cleanup_walk struct walk walk;
    struct error *error = walk_init(&walk, tree);
    if (error)
        return error;
    struct column column;
    column_begin(&column, out, "nodes");
    bool is_more;
    do {
        const struct calltree_node *node = &tree->nodes[walk.node];
        uint32_t depth = walk.depth;
        is_more = walk_into(&walk);
        uint32_t levels_up = depth + 1 - (is_more ? walk.depth : 0);
        bool ends = node->self > 0 || levels_up > 0;
        column_add(&column, (uint64_t)number_of(frames, node->frame) << 1 | ends);
        if (ends) {
            column_add(&column, node->self);
            column_add(&column, levels_up);
        }
    } while (is_more);
    column_end(&column);
    return NULL;
}

/* One number of a frame; strings is where strings of the profile get their numbers. */
typedef uint64_t (*frame_number)(const struct profile *profile, uint32_t frame, struct numbering *strings);

static uint64_t kind_number(const struct profile *profile, uint32_t frame, struct numbering *strings)
{
    (void)strings;
    return profile_frame(profile, frame)->kind;
}

static uint64_t member_number(const struct profile *profile, uint32_t frame, struct numbering *strings)
{
    (void)strings;
    return profile_frame(profile, frame)->member;
}

static uint64_t colour_number(const struct profile *profile, uint32_t frame, struct numbering *strings)
{
    (void)strings;
    struct colour colour = colour_of_frame(profile, frame);
    return colour.family * COLOUR_SHADES + colour.shade;
}

static uint64_t string_number(struct numbering *strings, uint32_t string)
{
    return string == PROFILE_NONE ? 0 : number_of(strings, string) + UINT64_C(1);
}

static uint64_t name_number(const struct profile *profile, uint32_t frame, struct numbering *strings)
{
    return string_number(strings, profile_frame(profile, frame)->name);
}

static uint32_t file_of(const struct profile *profile, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(profile, frame);
    return profile_frame_has_file(profile, seen) ? seen->file : PROFILE_NONE;
}

static uint64_t file_number(const struct profile *profile, uint32_t frame, struct numbering *strings)
{
    return string_number(strings, file_of(profile, frame));
}

static uint64_t short_number(const struct profile *profile, uint32_t frame, struct numbering *strings)
{
    return string_number(strings, profile_short_file(profile, file_of(profile, frame)));
}

static uint64_t line_number(const struct profile *profile, uint32_t frame, struct numbering *strings)
{
    (void)strings;
    return (uint32_t)profile_frame(profile, frame)->line;
}

static uint64_t first_line_number(const struct profile *profile, uint32_t frame, struct numbering *strings)
{
    (void)strings;
    return (uint32_t)profile_frame(profile, frame)->first_line;
}

static void write_frames(const struct data *data, const struct numbering *frames, struct numbering *strings, FILE *out)
{
    const struct {
        const char *name;
        frame_number number;
    } columns[] = {
        {"kind", kind_number},     {"member", member_number},
        {"colour", colour_number}, {"name", name_number},
        {"file", file_number},     {"short", data->picture->options->full_filenames ? file_number : short_number},
        {"line", line_number},     {"first", first_line_number},
    };
    for (size_t i = 0; i < array_size(columns); i++) {
        struct column column;
        column_begin(&column, out, columns[i].name);
        for (uint32_t frame = 0; frame < frames->count; frame++)
            column_add(&column, columns[i].number(data->profile, frames->members[frame], strings));
        column_end(&column);
    }
}

/* Strings are sanitized twice: for the eyes that will see them, and for JSON, which is inert in XML, too. */
static void append_string(struct buffer *out, const char *text, size_t len)
{
    cleanup_buffer struct buffer visible = {0};
    escape_visible(&visible, text, len);
    escape_json(out, buffer_text(&visible), visible.len);
    out->failed |= visible.failed;
}

static void write_array(struct buffer *array, FILE *out)
{
    fputs("<metadata data-pyspyc=\"strings\">[", out);
    fwrite(buffer_text(array), 1, array->len, out);
    fputs("]</metadata>\n", out);
    buffer_clear(array);
}

static struct error *write_strings(const struct profile *profile, const struct numbering *strings, FILE *out)
{
    cleanup_buffer struct buffer array = {0};
    for (uint32_t i = 0; i < strings->count; i++) {
        size_t len;
        const char *text = profile_string(profile, strings->members[i], &len);
        if (array.len > 0)
            buffer_append_char(&array, ',');
        append_string(&array, text, len);
        if (array.len > STRINGS_PER_ELEMENT)
            write_array(&array, out);
    }
    write_array(&array, out);
    return array.failed ? error_no_memory() : NULL;
}

static void append_families(struct buffer *out)
{
    for (enum colour_family family = 0; family < COLOUR_FAMILIES; family++)
        buffer_format(out, "%s[\"%c\",\"%s\"]", family == 0 ? "" : ",", colour_family_letter(family),
                      colour_family_title(family));
}

static void append_threads(struct buffer *out, const struct profile *profile)
{
    uint32_t count;
    const struct profile_thread *threads = profile_threads(profile, &count);
    for (uint32_t i = 0; i < count; i++)
        buffer_format(out, "%s[%u,%d]", i == 0 ? "" : ",", threads[i].process, threads[i].is_main);
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void append_detail(struct buffer *out, const struct profile_detail *detail)
{
    static const char *const lines[] = {
        [PROFILE_CURRENT_LINE] = "line",
        [PROFILE_FUNCTION_LINE] = "function",
        [PROFILE_NO_LINE] = "name",
    };
    buffer_format(out, "{\"level\":\"%s\",\"threads\":%s,\"processes\":%s}", lines[detail->lines],
                  truth(detail->with_threads), truth(detail->with_processes));
}

static struct error *write_info(const struct data *data, uint32_t frame_count, FILE *out)
{
    const struct picture *picture = data->picture;
    cleanup_buffer struct buffer info = {0};
    buffer_append_text(&info, "{\"title\":");
    escape_json(&info, buffer_text(&picture->title), picture->title.len);
    buffer_append_text(&info, ",\"facts\":");
    escape_json(&info, buffer_text(&picture->facts), picture->facts.len);
    buffer_format(&info, ",\"interval_ns\":%" PRIu64 ",\"nodes\":%u,\"frames\":%u",
                  profile_get_info(data->profile)->interval_ns, data->tree->count, frame_count);
    buffer_format(&info, ",\"margin\":%d,\"row\":%d,\"bottom\":%d,\"shades\":%d,\"families\":[", PICTURE_MARGIN,
                  PICTURE_ROW, PICTURE_BOTTOM, COLOUR_SHADES);
    append_families(&info);
    buffer_append_text(&info, "],\"shown\":");
    append_detail(&info, &picture->options->detail);
    buffer_append_text(&info, ",\"threads\":[");
    append_threads(&info, data->profile);
    buffer_append_text(&info, "]");
    if (picture->diff) {
        buffer_append_text(&info, ",\"diff\":");
        picture_diff_append_info(&info, picture->diff);
    }
    buffer_append_text(&info, "}");
    if (info.failed)
        return error_no_memory();
    fprintf(out, "<metadata data-pyspyc=\"info\">%s</metadata>\n", info.data);
    return NULL;
}

static struct error *write_all(const struct data *data, FILE *out)
{
    cleanup_numbering struct numbering frames = {0};
    cleanup_numbering struct numbering strings = {0};
    struct error *error = numbering_init(&frames, profile_frame_count(data->profile));
    if (!error)
        error = write_nodes(data->tree, &frames, out);
    if (!error && data->picture->diff)
        error = picture_diff_write_amounts(data->picture->diff, out);
    if (!error)
        error = numbering_init(&strings, profile_string_count(data->profile));
    if (error)
        return error;
    write_frames(data, &frames, &strings, out);
    error = write_strings(data->profile, &strings, out);
    return error ? error : write_info(data, frames.count, out);
}

struct error *picture_write_data(const struct picture *picture, const struct profile *profile, FILE *out)
{
    struct data data = {.picture = picture, .profile = profile, .tree = &picture->tree};
    if (picture->profile == profile)
        return write_all(&data, out);
    cleanup_calltree struct calltree tree = {0};
    struct error *error = calltree_init(&tree, profile);
    data.tree = &tree;
    return error ? error : write_all(&data, out);
}
