/* SPDX-License-Identifier: MIT */
/*
 * Threads that are called alike: of a server that starts one for each request, or of a large pool. Their names differ
 * in nothing but numbers, and one by one they hide what they do together.
 */
#ifndef FORMATS_ALIKE_H
#define FORMATS_ALIKE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

struct profile;

/* As many as this can be looked at one by one. */
enum { ALIKE_FEW = 8 };

struct alike {
    uint32_t
        *first; /* frame -> the first of those that are alike, when there are more than few; else the frame itself */
};

struct error *alike_init(struct alike *alike, const struct profile *profile);

/* Accepts a zeroed struct. */
void alike_deinit(struct alike *alike);

#define cleanup_alike __attribute__((cleanup(alike_deinit)))

/* Appends "12 threads: Thread-# (work)", raw text of the target, for so many threads like this one. */
void alike_append_name(struct buffer *out, const struct profile *profile, uint32_t frame, uint32_t count);

#endif
