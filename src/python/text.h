/* SPDX-License-Identifier: MIT */
/*
 * str and bytes objects of the target, copied out.
 */
#ifndef PYTHON_TEXT_H
#define PYTHON_TEXT_H

#include "memory/memory.h"
#include "python/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;
struct layout;

enum {
    TEXT_LENGTH_LIMIT = 8192,              /* characters kept of a str; the rest becomes one "..." character */
    BYTES_LENGTH_LIMIT = 16 * 1024 * 1024, /* a line table of a function of a million lines has about 5 MB */
};

/* What the head of a str says: CPython Include/cpython/unicodeobject.h: PyASCIIObject, PyCompactUnicodeObject. */
struct text_head {
    uint64_t length; /* characters */
    uint32_t kind;   /* bytes per character: 1 Latin-1, 2 UCS-2, 4 UCS-4 */
    remote_addr data;
    bool is_bytes; /* of an encoding that is not known; 2.7 */
};

enum python_status text_open(const struct layout *layout, struct memory *memory, remote_addr object,
                             struct text_head *ret);

/* The character at an index of data that were read, which goes on to the next one. */
uint32_t text_next_character(const struct layout *layout, const struct text_head *text, const unsigned char *data,
                             size_t count, size_t *index);

/* A character as UTF-8. Returns how many bytes it has; what is no character becomes U+FFFD. */
enum { UTF8_LEN_LIMIT = 4 };
size_t utf8_write(uint32_t c, char bytes[UTF8_LEN_LIMIT]);

/*
 * Appends a str object as UTF-8. Lone surrogates come out as three bytes each, as Python's "surrogatepass" would write
 * them; formats deal with that. A str that is too long is cut and ends with U+2026.
 */
enum python_status text_read(const struct layout *layout, struct memory *memory, remote_addr object,
                             struct buffer *buffer);

/* Appends what a bytes object holds. */
enum python_status bytes_read(const struct layout *layout, struct memory *memory, remote_addr object,
                              struct buffer *buffer);

/* Whether a str object is this text, in UTF-8; if that is ASCII, of at most 64 characters. */
bool text_equals(const struct layout *layout, struct memory *memory, remote_addr object, const char *text);

#endif
