/* SPDX-License-Identifier: MIT */
#include "base/escape.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SUBSTITUTE_SIZE = 16 };

/*
 * What stands for a character: a text that may be written into scratch, or NULL when the character can stay. Each
 * sanitizer is such a function.
 */
typedef const char *(*substitute)(int32_t code, char scratch[SUBSTITUTE_SIZE]);

/* Writes hexadecimal digits between two texts. */
static const char *spell(char scratch[SUBSTITUTE_SIZE], const char *before, int digits, int32_t code, const char *after)
{
    snprintf(scratch, SUBSTITUTE_SIZE, "%s%0*x%s", before, digits, (unsigned)code, after);
    return scratch;
}

/* A byte that is not UTF-8, or a lone surrogate, in plain characters; NULL for a sound character. */
static const char *spell_broken(int32_t code, char scratch[SUBSTITUTE_SIZE])
{
    if (code < 0)
        return spell(scratch, "\\x", 2, -code, "");
    if (utf8_is_surrogate(code))
        return spell(scratch, "\\u", 4, code, "");
    return NULL;
}

static bool is_control(int32_t code)
{
    return (code >= 0 && code < 0x20) || (code >= 0x7f && code < 0xa0);
}

static bool is_line_separator(int32_t code)
{
    return code == 0x2028 || code == 0x2029;
}

/* Unicode 15, DerivedCoreProperties: Bidi_Control, and those Default_Ignorable characters that no script needs. */
static bool is_invisible(int32_t code)
{
    return code == 0x061c || code == 0x200b || code == 0x200e || code == 0x200f || is_line_separator(code) ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
           (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe007f);
}

/* XML 1.0 production 2 (Char) forbids these two besides controls and surrogates. */
static bool is_not_a_character(int32_t code)
{
    return code == 0xfffe || code == 0xffff;
}

/* Copies in runs: a run ends at a character that is substituted. An empty text may be NULL. */
static void append_substituted(struct buffer *out, const char *text, size_t len, substitute replace)
{
    if (len == 0)
        return;
    const char *end = text + len;
    const char *run = text;
    for (const char *at = text; at < end;) {
        const char *next = at;
        int32_t code = utf8_next(&next, end);
        char scratch[SUBSTITUTE_SIZE];
        const char *replacement = replace(code, scratch);
        if (replacement) {
            buffer_append(out, run, (size_t)(at - run));
            buffer_append_text(out, replacement);
            run = next;
        }
        at = next;
    }
    buffer_append(out, run, (size_t)(end - run));
}

static const char *substitute_visible(int32_t code, char scratch[SUBSTITUTE_SIZE])
{
    if (is_control(code))
        return spell(scratch, "\\x", 2, code, "");
    if (is_invisible(code) || is_not_a_character(code))
        return spell(scratch, "\\u{", 1, code, "}");
    return spell_broken(code, scratch);
}

void escape_visible(struct buffer *out, const char *text, size_t len)
{
    append_substituted(out, text, len, substitute_visible);
}

/* POSIX 2017, Shell Command Language 2.2: what needs no quoting, and means nothing to a shell anywhere in a word. */
static bool is_plain_in_shell(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80) ||
           (c != '\0' && strchr("_@%+:,./-", c));
}

void escape_shell_word(struct buffer *out, const char *text, size_t len)
{
    cleanup_buffer struct buffer shown = {0};
    escape_visible(&shown, text, len);
    bool is_plain = shown.len > 0;
    for (size_t i = 0; i < shown.len; i++)
        is_plain = is_plain && is_plain_in_shell(shown.data[i]);
    if (shown.len > 0 && *shown.data == '-')
        buffer_append_text(out, "./");
    buffer_append_text(out, is_plain ? "" : "'");
    for (size_t i = 0; i < shown.len; i++) {
        if (shown.data[i] == '\'')
            buffer_append_text(out, "'\\''");
        else
            buffer_append_char(out, shown.data[i]);
    }
    buffer_append_text(out, is_plain ? "" : "'");
    out->failed |= shown.failed;
}

static const char *substitute_xml(int32_t code, char scratch[SUBSTITUTE_SIZE])
{
    switch (code) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
    case '\r':
        return spell(scratch, "&#x", 1, code, ";");
    default:
        break;
    }
    if (code >= 0 && code < 0x20)
        return spell(scratch, "\\x", 2, code, "");
    if (is_not_a_character(code))
        return spell(scratch, "\\u{", 1, code, "}");
    return spell_broken(code, scratch);
}

void escape_xml(struct buffer *out, const char *text, size_t len)
{
    append_substituted(out, text, len, substitute_xml);
}

static const char *substitute_json(int32_t code, char scratch[SUBSTITUTE_SIZE])
{
    if (code == '"' || code == '\\')
        return code == '"' ? "\\\"" : "\\\\";
    if (is_control(code) || is_line_separator(code) || is_not_a_character(code) || code == '<' || code == '>' ||
        code == '&')
        return spell(scratch, "\\u", 4, code, "");
    if (code < 0)
        return spell(scratch, "\\\\x", 2, -code, "");
    return utf8_is_surrogate(code) ? spell(scratch, "\\\\u", 4, code, "") : NULL;
}

void escape_json(struct buffer *out, const char *text, size_t len)
{
    buffer_append_char(out, '"');
    append_substituted(out, text, len, substitute_json);
    buffer_append_char(out, '"');
}

static const char *substitute_collapsed(int32_t code, char scratch[SUBSTITUTE_SIZE])
{
    if (code == ';')
        return ":";
    if (is_control(code) || is_line_separator(code))
        return " ";
    if (is_invisible(code) || is_not_a_character(code))
        return spell(scratch, "\\u{", 1, code, "}");
    return spell_broken(code, scratch);
}

static bool is_number(const char *text, size_t len)
{
    size_t digits = 0;
    while (digits < len && ((text[digits] >= '0' && text[digits] <= '9') || (digits > 0 && text[digits] == '.')))
        digits++;
    return len > 0 && digits == len;
}

/* flamegraph.pl takes a number behind the last space for the first of two counts, decimals included. */
static void join_last_number(char *name, size_t len)
{
    char *space = memrchr(name, ' ', len);
    if (space && is_number(space + 1, len - (size_t)(space + 1 - name)))
        *space = '_';
}

void escape_collapsed(struct buffer *out, const char *text, size_t len)
{
    struct buffer name = {0};
    append_substituted(&name, text, len, substitute_collapsed);
    const char *start = buffer_text(&name);
    const char *end = start + name.len;
    while (start < end && *start == ' ')
        start++;
    while (end > start && end[-1] == ' ')
        end--;
    if (start == end || *start == '#')
        buffer_append_char(out, '_');
    size_t offset = out->len;
    buffer_append(out, start, (size_t)(end - start));
    if (!out->failed && end > start)
        join_last_number(out->data + offset, (size_t)(end - start));
    out->failed |= name.failed;
    buffer_deinit(&name);
}
