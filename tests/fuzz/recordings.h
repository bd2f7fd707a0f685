/* SPDX-License-Identifier: MIT */
/*
 * Recordings out of an input, with good checksums, behind which no fuzzer gets by itself: blocks that were not
 * compressed (RFC 1950, RFC 1951 section 3.2.4), of what the input has.
 */
#ifndef TESTS_FUZZ_RECORDINGS_H
#define TESTS_FUZZ_RECORDINGS_H

#include "base/buffer.h"
#include "input.h"

#include <zlib.h>

enum { RECORDING_BLOCK_PIECE = 65535 }; /* that fits into one stored block */

static inline void recordings_append_number(struct buffer *out, uint64_t number, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        buffer_append_char(out, (char)(number >> (8 * i)));
}

/* Appends a block with this content. */
static inline void recordings_append_block(struct buffer *out, const uint8_t *content, size_t len)
{
    cleanup_buffer struct buffer packed = {0};
    if (len > RECORDING_BLOCK_PIECE)
        len = RECORDING_BLOCK_PIECE;
    recordings_append_number(&packed, 0x010178, 3);
    recordings_append_number(&packed, len, 2);
    recordings_append_number(&packed, ~len, 2);
    buffer_append(&packed, content, len);
    uint32_t adler = __builtin_bswap32((uint32_t)adler32(1, content, (uInt)len));
    buffer_append(&packed, &adler, sizeof(adler));
    size_t head = out->len;
    recordings_append_number(out, packed.len, 4);
    recordings_append_number(out, len, 4);
    uLong crc = crc32(0, (const Bytef *)out->data + head, 8);
    recordings_append_number(out, crc32(crc, (const Bytef *)packed.data, (uInt)packed.len), 4);
    buffer_append(out, packed.data, packed.len);
}

/* Appends a head and blocks, each of which is two bytes for its length and its content. */
static inline void recordings_append(struct buffer *out, const uint8_t *bytes, size_t len)
{
    struct input input = {bytes, bytes + len};
    buffer_append(out, "\x93pyspyc\n", 8);
    recordings_append_number(out, 2, 4);
    while (input.at < input.end) {
        size_t content_len = input_number(&input, 2), left = (size_t)(input.end - input.at);
        content_len = content_len < left ? content_len : left;
        recordings_append_block(out, input.at, content_len);
        input.at += content_len;
    }
}

#endif
