/* SPDX-License-Identifier: MIT */
/*
 * Pieces of JSON for a stream. Numbers are written digit by digit: with no exponent, no rounding, and quickly, as there
 * are millions of them.
 */
#ifndef FORMATS_JSON_STREAM_H
#define FORMATS_JSON_STREAM_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct profile;

struct json_stream {
    FILE *out;
    struct buffer text; /* text.failed: a string is missing */
};

void json_stream_deinit(struct json_stream *json);

/* Writes text as it is. */
void json_raw(struct json_stream *json, const char *text);

void json_number(struct json_stream *json, uint64_t number);
void json_signed(struct json_stream *json, int64_t number);

/* Writes number / 10^decimals, without zeros at its end. */
void json_decimal(struct json_stream *json, uint64_t number, unsigned decimals);

/* A text of the target, made harmless, in its quotes. */
void json_string(struct json_stream *json, const char *text, size_t len);

/* A string of the profile; null for PROFILE_NONE. */
void json_profile_string(struct json_stream *json, const struct profile *profile, uint32_t string);

/* The same for the name of a frame, which is never empty: "(no name)" stands for it. */
void json_name(struct json_stream *json, const struct profile *profile, uint32_t string);

/* A string of the profile, its middle cut out when it is long, as command lines can be. */
void json_short_string(struct json_stream *json, const struct profile *profile, uint32_t string);

#define cleanup_json_stream __attribute__((cleanup(json_stream_deinit)))

#endif
