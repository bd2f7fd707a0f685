/* SPDX-License-Identifier: MIT */
#include "value_text.h"

#include "base/buffer.h"
#include "printable.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    FORMATTED_LEN = 256, /* bytes that one value_format() makes at most */
    CUT_LEN = 3,         /* characters of "..." */
};

struct value_text value_text_begin(struct buffer *out, uint32_t limit)
{
    return (struct value_text){.out = out, .left = limit, .limit = limit};
}

/* Whether a byte of UTF-8 belongs to the character before it. */
static bool is_continued(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static void drop_character(struct buffer *out)
{
    while (out->len > 0 && is_continued(out->data[out->len - 1]))
        out->len--;
    out->len -= out->len > 0;
}

void value_text_end(struct value_text *text)
{
    if (!text->is_full || text->limit < CUT_LEN || text->out->failed)
        return;
    uint32_t written = text->limit - text->left;
    for (uint32_t i = text->limit - CUT_LEN; i < written; i++)
        drop_character(text->out);
    buffer_append_text(text->out, "...");
}

void value_append_len(struct value_text *text, const char *bytes, size_t len)
{
    size_t fitting = 0;
    for (; fitting < len && !text->is_full; fitting++) {
        if (is_continued(bytes[fitting]))
            continue;
        text->is_full = text->left == 0;
        if (text->is_full)
            break;
        text->left--;
    }
    buffer_append(text->out, bytes, fitting);
}

void value_append(struct value_text *text, const char *bytes)
{
    value_append_len(text, bytes, strlen(bytes));
}

void value_format(struct value_text *text, const char *format, ...)
{
    char bytes[FORMATTED_LEN];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(bytes, sizeof(bytes), format, arguments);
    va_end(arguments);
    value_append(text, bytes);
}

void value_append_character(struct value_text *text, uint32_t c)
{
    char bytes[UTF8_LEN_LIMIT];
    value_append_len(text, bytes, utf8_write(c, bytes));
}

static void append_escape(struct value_text *text, uint32_t c)
{
    if (c <= 0xff)
        value_format(text, "\\x%02x", c);
    else if (c <= 0xffff)
        value_format(text, "\\u%04x", c);
    else
        value_format(text, "\\U%08x", c);
}

/* CPython 3.13 Objects/unicodeobject.c: unicode_repr(); Objects/bytesobject.c: PyBytes_Repr(). */
void value_append_quoted(struct value_text *text, uint32_t c, char quote, enum quote_style style)
{
    if (c == (unsigned char)quote || c == '\\' || (c == '\'' && style == QUOTE_ARRAY))
        value_format(text, "\\%c", (char)c);
    else if (c == '\t')
        value_append(text, "\\t");
    else if (c == '\n')
        value_append(text, "\\n");
    else if (c == '\r')
        value_append(text, "\\r");
    else if (c < ' ' || c == 0x7f || (c > 0x7f && (style != QUOTE_TEXT || !is_printable(c))))
        append_escape(text, c);
    else
        value_append_character(text, c);
}
