/* SPDX-License-Identifier: MIT */
/*
 * What the script of the flame graph reads, in <metadata data-pyspyc="..."> elements:
 *
 *   info          a JSON object: title, facts, interval, counts, geometry
 *   strings       JSON arrays that follow each other: names and files, each once
 *   colour, name, file, short, line
 *                 columns (see columns.h) with one number a frame: family * COLOUR_SHADES + shade, then numbers of
 *                 strings plus 1 (0: none), then the line, which is 32 bits in two's complement
 *   nodes         one column with all nodes of the tree, depth first: frame << 1 | ends, and when `ends` is set, the
 *                 node's own samples and how many levels up the walk goes from its child's place to the next node's
 *
 * Most nodes have one child and no samples of their own: they cost one number.
 */
#include "base/cleanup.h"
#include "colour.h"
#include "columns.h"
#include "formats/escape.h"
#include "formats/formats.h"
#include "picture.h"
#include "profile/profile.h"
#include "walk.h"

#include <inttypes.h>
#include <stdbool.h>

enum { STRINGS_PER_ELEMENT = 1 << 20 }; /* bytes; strict XML parsers refuse text of more than 10 MB */

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

static struct error *write_nodes(const struct picture *picture, struct numbering *frames, FILE *out)
{
    cleanup_walk struct walk walk;
    struct error *error = walk_init(&walk, &picture->tree);
    if (error)
        return error;
    struct column column;
    column_begin(&column, out, "nodes");
    bool is_more;
    do {
        const struct calltree_node *node = &picture->tree.nodes[walk.node];
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
    return seen->kind == FRAME_PYTHON ? seen->file : PROFILE_NONE;
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

static void write_frames(const struct picture *picture, const struct numbering *frames, struct numbering *strings,
                         FILE *out)
{
    const struct {
        const char *name;
        frame_number number;
    } columns[] = {
        {"colour", colour_number}, {"name", name_number},
        {"file", file_number},     {"short", picture->options->full_filenames ? file_number : short_number},
        {"line", line_number},
    };
    for (size_t i = 0; i < array_size(columns); i++) {
        struct column column;
        column_begin(&column, out, columns[i].name);
        for (uint32_t frame = 0; frame < frames->count; frame++)
            column_add(&column, columns[i].number(picture->profile, frames->members[frame], strings));
        column_end(&column);
    }
}

/* Above the number of every string that a frame of the tree names. */
static uint32_t string_limit(const struct picture *picture, const struct numbering *frames)
{
    uint32_t limit = 0;
    for (uint32_t i = 0; i < frames->count; i++) {
        const struct profile_frame *frame = profile_frame(picture->profile, frames->members[i]);
        const uint32_t strings[] = {frame->name, frame->file, profile_short_file(picture->profile, frame->file)};
        for (size_t j = 0; j < array_size(strings); j++) {
            if (strings[j] != PROFILE_NONE && strings[j] >= limit)
                limit = strings[j] + 1;
        }
    }
    return limit;
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

static struct error *write_strings(const struct picture *picture, const struct numbering *strings, FILE *out)
{
    cleanup_buffer struct buffer array = {0};
    for (uint32_t i = 0; i < strings->count; i++) {
        size_t len;
        const char *text = profile_string(picture->profile, strings->members[i], &len);
        if (array.len > 0)
            buffer_append_char(&array, ',');
        append_string(&array, text, len);
        if (array.len > STRINGS_PER_ELEMENT)
            write_array(&array, out);
    }
    write_array(&array, out);
    return array.failed ? error_no_memory() : NULL;
}

static struct error *write_info(const struct picture *picture, uint32_t frame_count, FILE *out)
{
    cleanup_buffer struct buffer info = {0};
    buffer_append_text(&info, "{\"title\":");
    escape_json(&info, buffer_text(&picture->title), picture->title.len);
    buffer_append_text(&info, ",\"facts\":");
    escape_json(&info, buffer_text(&picture->facts), picture->facts.len);
    buffer_format(&info, ",\"interval_ns\":%" PRIu64 ",\"nodes\":%u,\"frames\":%u",
                  profile_get_info(picture->profile)->interval_ns, picture->tree.count, frame_count);
    buffer_format(&info, ",\"margin\":%d,\"row\":%d,\"top\":%d,\"bottom\":%d,\"shades\":%d,\"families\":\"",
                  PICTURE_MARGIN, PICTURE_ROW, PICTURE_TOP, PICTURE_BOTTOM, COLOUR_SHADES);
    for (enum colour_family family = 0; family < COLOUR_FAMILIES; family++)
        buffer_append_char(&info, colour_family_letter(family));
    buffer_append_text(&info, "\"}");
    if (info.failed)
        return error_no_memory();
    fprintf(out, "<metadata data-pyspyc=\"info\">%s</metadata>\n", info.data);
    return NULL;
}

struct error *picture_write_data(struct picture *picture, FILE *out)
{
    cleanup_numbering struct numbering frames = {0};
    cleanup_numbering struct numbering strings = {0};
    struct error *error = numbering_init(&frames, picture->frame_limit);
    if (!error)
        error = write_nodes(picture, &frames, out);
    if (!error)
        error = numbering_init(&strings, string_limit(picture, &frames));
    if (error)
        return error;
    write_frames(picture, &frames, &strings, out);
    error = write_strings(picture, &strings, out);
    return error ? error : write_info(picture, frames.count, out);
}
