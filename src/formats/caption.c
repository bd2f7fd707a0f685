/* SPDX-License-Identifier: MIT */
#include "caption.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/utf8.h"
#include "formats/formats.h"
#include "label.h"
#include "profile/profile.h"

#include <ctype.h>
#include <string.h>

static const char ellipsis[] = "…";

enum { CUT_MIDDLE_FROM = 10 }; /* columns; below, the end of a text says less than more of its beginning */

struct error *captions_init(struct captions *captions, const struct profile *profile, uint32_t frame_limit,
                            const struct format_options *options)
{
    *captions = (struct captions){.profile = profile, .options = options};
    captions->captions = calloc(frame_limit, sizeof(*captions->captions));
    return captions->captions ? NULL : error_no_memory();
}

void captions_deinit(struct captions *captions)
{
    buffer_deinit(&captions->text);
    free(captions->captions);
    *captions = (struct captions){0};
}

bool caption_is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    }
    return true;
}

/* Where the last part of the path begins in a caption whose place begins behind name_len. */
static size_t find_base(const char *text, size_t len, size_t name_len)
{
    if (len == name_len)
        return name_len;
    size_t place = name_len + strlen(" (");
    const char *slash = memrchr(text + place, '/', len - place);
    return slash ? (size_t)(slash + 1 - text) : place;
}

/* The length of "thread (12): " or "process 12: " at the beginning of a label that goes on behind it; else 0. */
static size_t find_name_of_group(const char *text, size_t len)
{
    static const char *const kinds[] = {"thread (", "process "};
    static const char *const ends[] = {"): ", ": "};
    for (size_t i = 0; i < array_size(kinds); i++) {
        size_t kind_len = strlen(kinds[i]), end_len = strlen(ends[i]);
        if (len < kind_len || memcmp(text, kinds[i], kind_len) != 0)
            continue;
        size_t at = kind_len;
        while (at < len && (isxdigit((unsigned char)text[at]) || text[at] == 'x'))
            at++;
        if (at > kind_len && len - at > end_len && memcmp(text + at, ends[i], end_len) == 0)
            return at + end_len;
    }
    return 0;
}

/* Appends a command line without the folders of what it names. */
static void append_without_folders(struct buffer *out, const char *text, size_t len)
{
    const char *end = text + len;
    for (const char *word = text; word < end;) {
        const char *space = memchr(word, ' ', (size_t)(end - word));
        const char *word_end = space ? space : end;
        const char *base = word;
        for (const char *at = word; *word == '/' && at + 1 < word_end; at++)
            base = at[0] == '/' && at[1] != '/' ? at + 1 : base;
        word = space ? space + 1 : end;
        buffer_append(out, base, (size_t)(word - base));
    }
}

static void add_brief(struct captions *captions, struct caption *caption, enum frame_kind kind)
{
    cleanup_buffer struct buffer brief = {0};
    const char *text = buffer_text(&captions->text) + caption->offset;
    size_t name = find_name_of_group(text, caption->len);
    if (name == 0)
        return;
    if (kind == FRAME_PROCESS)
        append_without_folders(&brief, text + name, caption->len - name);
    else
        buffer_append(&brief, text + name, caption->len - name);
    caption->brief = captions->text.len;
    caption->brief_len = brief.len;
    buffer_append(&captions->text, buffer_text(&brief), brief.len);
    captions->text.failed |= brief.failed;
}

const struct caption *captions_get(struct captions *captions, uint32_t frame)
{
    struct caption *caption = &captions->captions[frame];
    if (caption->len > 0)
        return caption;
    struct buffer *text = &captions->text;
    cleanup_buffer struct buffer label = {0};
    cleanup_buffer struct buffer place = {0};
    label_append(&label, captions->profile, frame, captions->options);
    label_append_place(&place, captions->profile, frame, captions->options);
    if (label.failed || place.failed) {
        text->failed = true;
        return caption;
    }
    size_t name_len = place.len > 0 ? label.len - place.len - strlen(" ()") : label.len;

    size_t offset = text->len;
    escape_visible(text, buffer_text(&label), name_len);
    caption->name_len = text->len - offset;
    escape_visible(text, buffer_text(&label) + name_len, label.len - name_len);
    if (text->failed)
        return caption;
    caption->offset = offset;
    caption->len = text->len - offset;
    const char *start = buffer_text(text) + offset;
    caption->base = find_base(start, caption->len, caption->name_len);
    caption->is_plain = caption_is_plain(start, caption->len);
    enum frame_kind kind = profile_frame(captions->profile, frame)->kind;
    if (kind == FRAME_THREAD || kind == FRAME_PROCESS)
        add_brief(captions, caption, kind);
    return caption;
}

/* Characters can take no column, so that a long text may fit; one of so many bytes is cut without counting them. */
static size_t bytes_limit(size_t columns)
{
    return 8 * columns;
}

static bool fits(const char *text, size_t len, size_t columns)
{
    return len <= bytes_limit(columns) && utf8_text_columns(text, len) <= columns;
}

static size_t append_counted(struct buffer *out, const char *text, size_t len)
{
    buffer_append(out, text, len);
    return utf8_text_columns(text, len);
}

size_t caption_cut(struct buffer *out, const char *text, size_t len, size_t columns)
{
    if (fits(text, len, columns))
        return append_counted(out, text, len);
    size_t tail_columns = columns < CUT_MIDDLE_FROM ? 0 : (columns - 1) / 3;
    size_t head = utf8_prefix(text, len, columns - 1 - tail_columns);
    size_t tail = utf8_suffix(text + head, len - head, tail_columns);
    size_t used = append_counted(out, text, head);
    buffer_append_text(out, ellipsis);
    return used + 1 + append_counted(out, text + len - tail, tail);
}

/* How much of a text is its first line: up to a space, when there is one. */
static size_t first_line(const char *text, size_t len, size_t columns)
{
    if (fits(text, len, columns))
        return len;
    size_t line = utf8_prefix(text, len, columns);
    const char *space = memrchr(text, ' ', line);
    return space && space > text ? (size_t)(space - text) : line;
}

void caption_wrap(struct buffer *out, const char *text, size_t len, size_t columns, uint32_t lines)
{
    for (uint32_t i = 1; len > 0; i++) {
        size_t line = i < lines ? first_line(text, len, columns) : 0;
        if (line == 0) {
            caption_cut(out, text, len, columns);
            line = len;
        } else {
            buffer_append(out, text, line);
        }
        buffer_append_char(out, '\n');
        text += line;
        len -= line;
        if (len > 0 && *text == ' ') {
            text++;
            len--;
        }
    }
}

size_t captions_fit(const struct captions *captions, const struct caption *caption, size_t columns, struct buffer *out)
{
    if (columns < CAPTION_SMALLEST)
        return 0;
    const char *text = buffer_text(&captions->text) + caption->offset;
    if (fits(text, caption->len, columns))
        return append_counted(out, text, caption->len);
    size_t folders = caption->base - caption->name_len;
    if (folders > strlen(" (") && caption->len - folders <= bytes_limit(columns)) {
        cleanup_buffer struct buffer brief = {0};
        buffer_append(&brief, text, caption->name_len);
        buffer_append_text(&brief, " (");
        buffer_append(&brief, text + caption->base, caption->len - caption->base);
        out->failed |= brief.failed;
        if (fits(buffer_text(&brief), brief.len, columns))
            return caption_cut(out, buffer_text(&brief), brief.len, columns);
    }
    if (caption->brief_len > 0)
        return caption_cut(out, buffer_text(&captions->text) + caption->brief, caption->brief_len, columns);
    return caption_cut(out, text, caption->name_len, columns);
}
