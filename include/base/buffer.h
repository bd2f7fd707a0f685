/* SPDX-License-Identifier: MIT */
/*
 * A growable byte string, always followed by a NUL that is not counted.
 *
 * Running out of memory is sticky: what did not fit is dropped, `failed` is set, and the caller asks once at the end.
 * A zeroed struct is a valid empty buffer.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data;      /* NULL while nothing was ever appended; see buffer_text() */
    size_t len;      /* bytes in use, the NUL not counted */
    size_t capacity; /* bytes allocated */
    bool failed;     /* memory ran out and something is missing */
};

/* Frees the bytes; the buffer is empty and usable again. */
void buffer_deinit(struct buffer *buffer);

/* Makes room for `extra` more bytes and returns where they go, or NULL without memory. Does not change len. */
char *buffer_reserve(struct buffer *buffer, size_t extra);

void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes the buffer empty and keeps its memory. */
void buffer_clear(struct buffer *buffer);

/* The content as a NUL-terminated string; valid until the next change. Never NULL. */
const char *buffer_text(const struct buffer *buffer);

#define cleanup_buffer __attribute__((cleanup(buffer_deinit)))

#endif
