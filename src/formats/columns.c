/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include <string.h>

enum { CHUNKS_PER_ELEMENT = 1024 }; /* 4 MB of text */

static void open_element(const struct column *column)
{
    fprintf(column->out, "<metadata data-pyspyc=\"%s\">", column->name);
}

static void close_element(const struct column *column)
{
    fputs("</metadata>\n", column->out);
}

static void encode_three(const uint8_t *bytes, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t group = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    for (int i = 3; i >= 0; i--, group >>= 6)
        text[i] = digits[group & 0x3f];
}

static void flush(struct column *column)
{
    char text[COLUMN_CHUNK / 3 * 4];
    size_t len = 0;
    size_t at = 0;
    for (; at + 3 <= column->len; at += 3, len += 4)
        encode_three(column->bytes + at, text + len);
    size_t rest = column->len - at;
    if (rest > 0) {
        const uint8_t last[3] = {column->bytes[at], rest == 2 ? column->bytes[at + 1] : 0, 0};
        encode_three(last, text + len);
        memset(text + len + rest + 1, '=', 3 - rest);
        len += 4;
    }
    fwrite(text, 1, len, column->out);
    column->len = 0;
    column->chunks++;
}

static void add_byte(struct column *column, uint8_t byte)
{
    if (column->len == COLUMN_CHUNK) {
        flush(column);
        if (column->chunks == CHUNKS_PER_ELEMENT) {
            column->chunks = 0;
            close_element(column);
            open_element(column);
        }
    }
    column->bytes[column->len++] = byte;
}

void column_begin(struct column *column, FILE *out, const char *name)
{
    column->out = out;
    column->name = name;
    column->len = 0;
    column->chunks = 0;
    open_element(column);
}

void column_add(struct column *column, uint64_t number)
{
    for (; number > 0x7f; number >>= 7)
        add_byte(column, (uint8_t)(number | 0x80));
    add_byte(column, (uint8_t)number);
}

void column_end(struct column *column)
{
    flush(column);
    close_element(column);
}
