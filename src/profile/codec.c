/* SPDX-License-Identifier: MIT */
#include "codec.h"

enum {
    MORE = 0x80, /* another byte follows */
    BITS = 7,
    LONGEST = 10, /* bytes of a number of 64 bits */
};

void encode_number(struct buffer *out, uint64_t number)
{
    char bytes[LONGEST];
    size_t len = 0;
    for (; number >= MORE; number >>= BITS)
        bytes[len++] = (char)(number | MORE);
    bytes[len++] = (char)number;
    buffer_append(out, bytes, len);
}

void encode_signed(struct buffer *out, int64_t number)
{
    uint64_t signs = number < 0 ? UINT64_MAX : 0;
    encode_number(out, (uint64_t)number << 1 ^ signs);
}

void encode_bytes(struct buffer *out, const void *bytes, size_t len)
{
    encode_number(out, len);
    buffer_append(out, bytes, len);
}

uint64_t decode_number(struct decoder *decoder)
{
    uint64_t number = 0;
    for (unsigned shift = 0; decoder->at < decoder->end && shift < 64; shift += BITS) {
        unsigned char byte = *decoder->at++;
        number |= (uint64_t)(byte & (MORE - 1)) << shift;
        if (byte < MORE)
            return number;
    }
    decoder->has_failed = true;
    decoder->at = decoder->end;
    return 0;
}

uint64_t decode_up_to(struct decoder *decoder, uint64_t limit)
{
    uint64_t number = decode_number(decoder);
    if (number <= limit)
        return number;
    decoder->has_failed = true;
    decoder->at = decoder->end;
    return 0;
}

int64_t decode_signed(struct decoder *decoder)
{
    uint64_t number = decode_number(decoder);
    return (int64_t)(number >> 1 ^ (~(number & 1) + 1));
}

const char *decode_bytes(struct decoder *decoder, size_t *ret_len)
{
    size_t len = (size_t)decode_number(decoder);
    if (len > (size_t)(decoder->end - decoder->at)) {
        decoder->has_failed = true;
        decoder->at = decoder->end;
        len = 0;
    }
    const char *bytes = (const char *)decoder->at;
    decoder->at += len;
    *ret_len = len;
    return bytes;
}
