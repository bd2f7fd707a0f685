/* SPDX-License-Identifier: MIT */
/* Reading UTF-8 that may be broken, and how wide a character is where letters have one width. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the character at *at, which is below end, and moves *at behind it. Returns its code point. A surrogate written
 * in three bytes is returned as well, see utf8_is_surrogate(). A byte that starts no valid character is passed alone:
 * the return value is the byte, negated.
 */
int32_t utf8_next(const char **at, const char *end);

static inline bool utf8_is_surrogate(int32_t code)
{
    return code >= 0xd800 && code <= 0xdfff;
}

/* Length of the longest beginning of a text that has no more bytes than this, and does not end within a character. */
size_t utf8_cut(const char *text, size_t len, size_t limit);

/* Columns that a character takes: 0 (combining), 1, or 2 (wide). An estimate: scripts that join letters vary. */
size_t utf8_columns(int32_t code);

/* Columns of a valid text. */
size_t utf8_text_columns(const char *text, size_t len);

/*
 * Length in bytes of the longest beginning of a valid text that fits into this many columns; where many characters
 * take no column, it can be shorter.
 */
size_t utf8_prefix(const char *text, size_t len, size_t columns);

/* The same for the end of a text. */
size_t utf8_suffix(const char *text, size_t len, size_t columns);

#endif
