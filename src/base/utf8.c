/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

/* Characters can take no column: this is how many bytes are worth looking at. */
enum { BYTES_PER_COLUMN = 8 };

/* How many bytes follow a first byte, and which bits of it count; 0 when it is no first byte of several. */
static size_t following_bytes(unsigned char first, int32_t *ret_bits)
{
    if (first >= 0xc2 && first <= 0xdf) {
        *ret_bits = first & 0x1f;
        return 1;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *ret_bits = first & 0x0f;
        return 2;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *ret_bits = first & 0x07;
        return 3;
    }
    return 0;
}

int32_t utf8_next(const char **at, const char *end)
{
    static const int32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)*at;
    size_t left = (size_t)(end - *at);
    *at += 1;
    if (bytes[0] < 0x80)
        return bytes[0];
    int32_t code;
    size_t following = following_bytes(bytes[0], &code);
    if (following == 0 || following >= left)
        return -(int32_t)bytes[0];
    for (size_t i = 1; i <= following; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return -(int32_t)bytes[0];
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < smallest[following] || code > 0x10ffff)
        return -(int32_t)bytes[0];
    *at += following;
    return code;
}

struct code_range {
    int32_t first, last;
};

static bool is_in(const struct code_range *ranges, size_t count, int32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    }
    return false;
}

size_t utf8_columns(int32_t code)
{
    static const struct code_range combining[] = {
        {0x0300, 0x036f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    /* Unicode's EastAsianWidth W and F in whole blocks, and the pictographs. */
    static const struct code_range wide[] = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
        {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
    };
    if (code < combining[0].first)
        return 1;
    if (is_in(combining, sizeof(combining) / sizeof(combining[0]), code))
        return 0;
    return is_in(wide, sizeof(wide) / sizeof(wide[0]), code) ? 2 : 1;
}

size_t utf8_text_columns(const char *text, size_t len)
{
    size_t columns = 0;
    for (const char *at = text, *end = text + len; at < end;)
        columns += utf8_columns(utf8_next(&at, end));
    return columns;
}

size_t utf8_prefix(const char *text, size_t len, size_t columns)
{
    size_t limit = columns;
    const char *at = text;
    const char *end = text + len;
    while (at < end && (size_t)(at - text) < BYTES_PER_COLUMN * limit) {
        const char *next = at;
        size_t wanted = utf8_columns(utf8_next(&next, end));
        if (wanted > columns)
            break;
        columns -= wanted;
        at = next;
    }
    return (size_t)(at - text);
}

size_t utf8_suffix(const char *text, size_t len, size_t columns)
{
    size_t limit = columns;
    const char *end = text + len;
    const char *start = end;
    while (start > text && (size_t)(end - start) < BYTES_PER_COLUMN * limit) {
        const char *previous = start - 1;
        while (previous > text && (*previous & 0xc0) == 0x80)
            previous--;
        const char *at = previous;
        size_t wanted = utf8_columns(utf8_next(&at, end));
        if (wanted > columns)
            break;
        columns -= wanted;
        start = previous;
    }
    return (size_t)(end - start);
}

size_t utf8_cut(const char *text, size_t len, size_t limit)
{
    enum { CONTINUATION_LIMIT = 3 };
    if (len <= limit)
        return len;
    size_t end = limit;
    for (int i = 0; i < CONTINUATION_LIMIT && end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80; i++)
        end--;
    return end;
}
