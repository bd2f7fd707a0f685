/* SPDX-License-Identifier: MIT */
/* Compresses into a stream while it is written, in the form of gzip. */
#ifndef FORMATS_GZIP_STREAM_H
#define FORMATS_GZIP_STREAM_H

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

struct gzip_stream;

/* The stream below stays the caller's, who looks for its errors. */
struct error *gzip_stream_create(FILE *out, struct gzip_stream **ret);

/* Accepts NULL. What was not finished is cut short. */
void gzip_stream_destroy(struct gzip_stream *stream);

void gzip_stream_write(struct gzip_stream *stream, const void *bytes, size_t len);

/* Writes the end; nothing may be written behind it. */
void gzip_stream_finish(struct gzip_stream *stream);

static inline void cleanup_gzip_stream_destroy(struct gzip_stream **stream)
{
    gzip_stream_destroy(*stream);
}

#define cleanup_gzip_stream __attribute__((cleanup(cleanup_gzip_stream_destroy)))

#endif
