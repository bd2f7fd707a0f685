/* SPDX-License-Identifier: MIT */
/*
 * A text of a limited length, as repr() would write it.
 *
 *     struct value_text text = value_text_begin(&buffer, 128);
 *     value_append(&text, "[1, 2");
 *     value_text_end(&text);
 *
 * What is longer is cut, and ends in "...".
 */
#ifndef PYTHON_VALUE_TEXT_H
#define PYTHON_VALUE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

struct value_text {
    struct buffer *out;
    uint32_t left;  /* characters that there is room for */
    uint32_t limit; /* of all of them */
    bool is_full;   /* something did not fit: whatever follows is dropped */
};

/* Appends to the buffer, which must outlive the text; at most `limit` characters of UTF-8. */
struct value_text value_text_begin(struct buffer *out, uint32_t limit);
void value_text_end(struct value_text *text);

/* UTF-8, or whatever the target has in its place. */
void value_append(struct value_text *text, const char *bytes);
void value_append_len(struct value_text *text, const char *bytes, size_t len);
void value_format(struct value_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One code point. */
void value_append_character(struct value_text *text, uint32_t c);

/* How the characters between two quotes are written. */
enum quote_style {
    QUOTE_TEXT,  /* str: what can be printed stays */
    QUOTE_ASCII, /* unicode of 2.7: all that is not ASCII is escaped */
    QUOTE_ARRAY, /* bytearray, to 3.14: ' is escaped also where it need not be */
    QUOTE_BYTES, /* each byte that is not ASCII is \xNN */
};

/* One character of a text in quotes, escaped if need be. */
void value_append_quoted(struct value_text *text, uint32_t c, char quote, enum quote_style style);

#endif
