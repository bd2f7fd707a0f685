/* SPDX-License-Identifier: MIT */
#include "source_line.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/utf8.h"

#include <stdbool.h>

enum { LEAD_COLUMNS = 60 }; /* shown at most before the marked piece of a line that is too long */

static const char ellipsis[] = "\xe2\x80\xa6"; /* one column */
static const char tab[] = "    ";

/* What is shown of a line, and what of that is marked. */
struct part {
    const char *at, *end;
    const char *marked, *marked_end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\r';
}

static void trim(struct part *part)
{
    while (part->at < part->end && is_blank(*part->at))
        part->at++;
    while (part->end > part->at && is_blank(part->end[-1]))
        part->end--;
}

/* The next character of a line as it is shown; moves *at behind it. Returns the columns that it takes. */
static size_t take_shown(struct buffer *shown, const char **at, const char *end)
{
    const char *start = *at;
    utf8_next(at, end);
    buffer_clear(shown);
    if (*start == '\t')
        buffer_append_text(shown, tab);
    else
        escape_visible(shown, start, (size_t)(*at - start));
    return utf8_text_columns(buffer_text(shown), shown->len);
}

static size_t columns_of(const char *at, const char *end)
{
    cleanup_buffer struct buffer shown = {0};
    size_t columns = 0;
    while (at < end)
        columns += take_shown(&shown, &at, end);
    return columns;
}

/* Leaves out what is too far before the marked piece. Returns whether there was anything. */
static bool cut_lead(struct part *part)
{
    cleanup_buffer struct buffer shown = {0};
    const char *start = part->at;
    size_t columns = columns_of(part->at, part->marked);
    while (columns > LEAD_COLUMNS)
        columns -= take_shown(&shown, &part->at, part->marked);
    return part->at > start;
}

/* Appends what is shown, up to so many columns in all; *before of them are used. Counts those of the marked piece. */
static void append_part(struct buffer *out, const struct part *part, size_t limit, size_t *before, size_t *marked)
{
    cleanup_buffer struct buffer shown = {0};
    size_t columns = *before;
    for (const char *at = part->at; at < part->end;) {
        bool is_before = at < part->marked, is_marked = !is_before && at < part->marked_end;
        size_t width = take_shown(&shown, &at, part->end);
        columns += width;
        if (columns > limit) {
            buffer_append_text(out, ellipsis);
            break;
        }
        buffer_append(out, buffer_text(&shown), shown.len);
        *before += is_before ? width : 0;
        *marked += is_marked ? width : 0;
    }
    out->failed |= shown.failed;
}

static void append_repeated(struct buffer *out, char c, size_t count)
{
    while (count-- > 0)
        buffer_append_char(out, c);
}

void source_line_append(struct buffer *out, const char *indent, const char *line, size_t len, size_t start, size_t end)
{
    struct part part = {line, line + len, line + (start < len ? start : len), line + (end < len ? end : len)};
    size_t before = 0, marked = 0, limit = SIZE_MAX;
    trim(&part);
    bool is_whole = part.marked <= part.at && part.marked_end >= part.end;
    buffer_append_text(out, indent);
    if (columns_of(part.at, part.end) > SOURCE_COLUMN_LIMIT) {
        limit = SOURCE_COLUMN_LIMIT - 1;
        if (cut_lead(&part)) {
            buffer_append_text(out, ellipsis);
            before = 1;
        }
    }
    append_part(out, &part, limit, &before, &marked);
    buffer_append_char(out, '\n');
    if (marked == 0 || is_whole)
        return;
    buffer_append_text(out, indent);
    append_repeated(out, ' ', before);
    append_repeated(out, '^', marked);
    buffer_append_char(out, '\n');
}
