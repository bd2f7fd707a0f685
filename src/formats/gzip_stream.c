/* SPDX-License-Identifier: MIT */
#include "gzip_stream.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    PIECE_LEN = 1 << 16,
    GZIP_WINDOW_BITS = MAX_WBITS + 16, /* zlib.h, deflateInit2: 16 more asks for gzip's form. It has no time in it */
    MEMORY_LEVEL = 8,                  /* zlib's default */
};

struct gzip_stream {
    z_stream deflater;
    FILE *out;
    unsigned char piece[PIECE_LEN];
};

struct error *gzip_stream_create(FILE *out, struct gzip_stream **ret)
{
    struct gzip_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return error_no_memory();
    stream->out = out;
    int status = deflateInit2(&stream->deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                              Z_DEFAULT_STRATEGY);
    if (status != Z_OK) {
        free(stream);
        return error_no_memory();
    }
    *ret = stream;
    return NULL;
}

void gzip_stream_destroy(struct gzip_stream *stream)
{
    if (!stream)
        return;
    deflateEnd(&stream->deflater);
    free(stream);
}

/* Passes the input on. With room for output, deflate() cannot fail. */
static void run(struct gzip_stream *stream, int flush)
{
    z_stream *deflater = &stream->deflater;
    do {
        deflater->next_out = stream->piece;
        deflater->avail_out = PIECE_LEN;
        deflate(deflater, flush);
        fwrite(stream->piece, 1, PIECE_LEN - deflater->avail_out, stream->out);
    } while (deflater->avail_out == 0);
}

void gzip_stream_write(struct gzip_stream *stream, const void *bytes, size_t len)
{
    const Bytef *at = bytes;
    while (len > 0) {
        size_t part = len < INT_MAX ? len : INT_MAX;
        stream->deflater.next_in = (z_const Bytef *)at;
        stream->deflater.avail_in = (uInt)part;
        run(stream, Z_NO_FLUSH);
        at += part;
        len -= part;
    }
}

void gzip_stream_finish(struct gzip_stream *stream)
{
    stream->deflater.avail_in = 0;
    run(stream, Z_FINISH);
}
