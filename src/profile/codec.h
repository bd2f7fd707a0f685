/* SPDX-License-Identifier: MIT */
/*
 * Numbers and bytes as recordings hold them: numbers in LEB128, 7 bits a byte, the lowest first; texts behind their
 * length. What is read may be anything: a decoder that met nonsense has failed, and gives zeros from then on.
 */
#ifndef PROFILE_CODEC_H
#define PROFILE_CODEC_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void encode_number(struct buffer *out, uint64_t number);

/* Small in either direction is short. */
void encode_signed(struct buffer *out, int64_t number);

void encode_bytes(struct buffer *out, const void *bytes, size_t len);

struct decoder {
    const unsigned char *at;
    const unsigned char *end;
    bool has_failed;
};

uint64_t decode_number(struct decoder *decoder);

/* A number that is at most limit; else the decoder has failed. */
uint64_t decode_up_to(struct decoder *decoder, uint64_t limit);

int64_t decode_signed(struct decoder *decoder);

/* Valid as long as what is decoded is. */
const char *decode_bytes(struct decoder *decoder, size_t *ret_len);

#endif
