/* SPDX-License-Identifier: MIT */
#include "source_text.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "profile/process_dump.h"

#include <string.h>

enum { DECORATOR_LIMIT = 256 }; /* lines between a function's first decorator and its name */

/* Whether bytes are UTF-8 without a NUL. Surrogates and what is too long are as wrong here as anywhere. */
static bool is_utf8(const char *bytes, size_t len)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    for (size_t i = 0; i < len;) {
        unsigned char first = (unsigned char)bytes[i++];
        size_t following = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        uint32_t code = following == 0 ? first : first & (0x3fU >> following);
        if (first == 0 || (first >= 0x80 && first < 0xc2) || first > 0xf4 || following > len - i)
            return false;
        for (size_t end = i + following; i < end; i++) {
            if (((unsigned char)bytes[i] & 0xc0) != 0x80)
                return false;
            code = code << 6 | ((unsigned char)bytes[i] & 0x3f);
        }
        if (code < smallest[following] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return false;
    }
    return true;
}

/* Python's lines end with a line feed, a carriage return, or both. */
static bool split(struct source_text *text, size_t start)
{
    uint32_t capacity = 0;
    for (;;) {
        if (!array_grow(&text->starts, text->count, &capacity, sizeof(*text->starts)))
            return false;
        text->starts[text->count] = (uint32_t)start;
        if (start >= text->len)
            return true;
        text->count++;
        while (start < text->len && text->bytes[start] != '\n' && text->bytes[start] != '\r')
            start++;
        if (start + 1 < text->len && text->bytes[start] == '\r' && text->bytes[start + 1] == '\n')
            start++;
        start++;
        if (start > text->len)
            start = text->len;
    }
}

bool source_text_init(struct source_text *text, char *bytes, size_t len)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    size_t mark_len = strlen(byte_order_mark);
    bool has_mark = len >= mark_len && memcmp(bytes, byte_order_mark, mark_len) == 0;
    *text = (struct source_text){.bytes = bytes, .len = len};
    if (len < UINT32_MAX && is_utf8(bytes, len) && split(text, has_mark ? mark_len : 0))
        return true;
    source_text_deinit(text);
    return false;
}

void source_text_deinit(struct source_text *text)
{
    free(text->bytes);
    free(text->starts);
    *text = (struct source_text){0};
}

const char *source_text_line(const struct source_text *text, int64_t line, size_t *ret_len)
{
    if (line < 1 || line > text->count)
        return NULL;
    const char *start = text->bytes + text->starts[line - 1];
    size_t len = text->starts[line] - text->starts[line - 1];
    while (len > 0 && (start[len - 1] == '\n' || start[len - 1] == '\r'))
        len--;
    *ret_len = len;
    return start;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

/* Whether a character can be part of a name; all that are not ASCII count, as nobody ends a word in one. */
static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Whether a line, without the blanks at its start, begins with a word; *ret_rest is then what follows it. */
static bool begins_with(const char *line, size_t len, const char *word, const char **ret_rest)
{
    size_t word_len = strlen(word);
    if (len <= word_len || memcmp(line, word, word_len) != 0 || !is_blank(line[word_len]))
        return false;
    const char *rest = line + word_len;
    while (rest < line + len && is_blank(*rest))
        rest++;
    *ret_rest = rest;
    return true;
}

/* What a line defines: the text behind "def" or the like; NULL when it defines nothing. */
static const char *find_definition(const char *line, size_t len)
{
    static const char *const words[] = {"def", "class", "type"};
    const char *rest;
    if (begins_with(line, len, "async", &rest)) {
        len -= (size_t)(rest - line);
        line = rest;
    }
    for (size_t i = 0; i < array_size(words); i++) {
        if (begins_with(line, len, words[i], &rest))
            return rest;
    }
    return NULL;
}

static bool is_name(const char *at, const char *end, const char *name, size_t len)
{
    /* Python takes characters that look alike for the same one, so other letters prove nothing. */
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] >= 0x80)
            return true;
    }
    return (size_t)(end - at) >= len && memcmp(at, name, len) == 0 && (at + len == end || !is_word(at[len]));
}

/* Whether the function of a name begins in a line, or with decorators in it. */
static bool begins_function(const struct source_text *text, int32_t first_line, const char *name, size_t name_len)
{
    bool is_decorated = false;
    for (int64_t line = first_line; line < (int64_t)first_line + DECORATOR_LIMIT; line++) {
        size_t len;
        const char *at = source_text_line(text, line, &len), *end = at ? at + len : NULL;
        if (!at)
            return false;
        while (at < end && is_blank(*at))
            at++;
        const char *definition = find_definition(at, (size_t)(end - at));
        if (definition)
            return is_name(definition, end, name, name_len);
        is_decorated |= line == first_line && at < end && *at == '@';
        if (!is_decorated)
            return false;
    }
    return false;
}

static bool fits_function(const struct source_text *text, const struct dump_frame *frame)
{
    static const char lambda[] = "<lambda>";
    const char *dot = memrchr(frame->name.bytes, '.', frame->name.len);
    const char *name = dot ? dot + 1 : frame->name.bytes;
    size_t len, name_len = frame->name.len - (size_t)(name - frame->name.bytes);
    const char *line = source_text_line(text, frame->first_line, &len);
    if (name_len == strlen(lambda) && memcmp(name, lambda, name_len) == 0)
        return line && memmem(line, len, "lambda", strlen("lambda"));
    /* Modules, comprehensions and the like have nothing to tell them by. */
    return (name_len > 0 && name[0] == '<') || begins_function(text, frame->first_line, name, name_len);
}

/* Whether a piece of source can begin, or end, at a column. */
static bool is_border(const char *line, size_t len, int64_t column)
{
    if (column < 0 || (uint64_t)column > len)
        return false;
    return column == 0 || (size_t)column == len || !is_word(line[column - 1]) || !is_word(line[column]);
}

static bool fits_columns(const struct source_text *text, const struct dump_frame *frame)
{
    size_t len, end_len;
    const char *line = source_text_line(text, frame->line, &len);
    const char *end_line = source_text_line(text, frame->end_line, &end_len);
    if (!line || !end_line || frame->end_line < frame->line || !is_border(line, len, frame->column) ||
        !is_border(end_line, end_len, frame->end_column))
        return false;
    if (frame->end_line == frame->line && frame->end_column <= frame->column)
        return frame->end_column == frame->column; /* an instruction that no expression stands for */
    return (size_t)frame->column < len && !is_blank(line[frame->column]) && frame->end_column > 0 &&
           !is_blank(end_line[frame->end_column - 1]);
}

bool source_text_fits(const struct source_text *text, const struct dump_frame *frame)
{
    size_t len, blanks = 0;
    const char *line = source_text_line(text, frame->line, &len);
    while (line && blanks < len && is_blank(line[blanks]))
        blanks++;
    if (!line || blanks == len || line[blanks] == '#')
        return false;
    bool has_columns = frame->column >= 0 && frame->end_column >= 0;
    return fits_function(text, frame) && (!has_columns || fits_columns(text, frame));
}
