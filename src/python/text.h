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

struct buffer;
struct layout;

enum {
    TEXT_LENGTH_LIMIT = 8192,              /* characters kept of a str; the rest becomes one "..." character */
    BYTES_LENGTH_LIMIT = 16 * 1024 * 1024, /* a line table of a function of a million lines has about 5 MB */
};

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
