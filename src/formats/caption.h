/* SPDX-License-Identifier: MIT */
/*
 * What stands in a frame's box: its label, made fit for eyes once a frame, and cut to the columns of each box.
 *
 * The function's name is what people read, so it goes last: first the folders go, then the place, then the middle of
 * the name. Of threads and processes what they are and their number goes before their name does, and the folders of
 * a command line. The script of the
 * flame graph follows the same rule.
 */
#ifndef FORMATS_CAPTION_H
#define FORMATS_CAPTION_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct format_options;
struct profile;

enum { CAPTION_SMALLEST = 3 }; /* columns: nothing is written into a smaller box */

struct caption {
    size_t offset;    /* in captions->text */
    size_t len;       /* of the whole, `name (file:line)`; 0 while the frame was not met */
    size_t name_len;  /* the name at its beginning */
    size_t base;      /* where the last part of the file's path begins; name_len when there is no place */
    size_t brief;     /* offset of what stands for a thread or process where the whole has no room */
    size_t brief_len; /* 0: there is no such text */
    bool is_plain;    /* printable ASCII alone: each byte takes one column in every monospaced font */
};

struct captions {
    const struct profile *profile;
    const struct format_options *options;
    struct buffer text;
    struct caption *captions; /* by frame */
};

/* Frames of the profile must be below frame_limit. */
struct error *captions_init(struct captions *captions, const struct profile *profile, uint32_t frame_limit,
                            const struct format_options *options);

/* Accepts a zeroed struct. */
void captions_deinit(struct captions *captions);

/* The caption of a frame, made at the first call. What runs out of memory is seen in captions->text.failed. */
const struct caption *captions_get(struct captions *captions, uint32_t frame);

/* Appends as much of the caption as columns allow; returns the columns used, 0 for nothing. */
size_t captions_fit(const struct captions *captions, const struct caption *caption, size_t columns, struct buffer *out);

/* Whether a text has printable ASCII characters alone. */
bool caption_is_plain(const char *text, size_t len);

/* Appends a text, its middle cut out when it has more columns than these, at least 1. Returns the columns used. */
size_t caption_cut(struct buffer *out, const char *text, size_t len, size_t columns);

/*
 * Appends a text in lines of no more than these columns, each with a newline behind it; the last one is cut when there
 * would be more lines than so many.
 */
void caption_wrap(struct buffer *out, const char *text, size_t len, size_t columns, uint32_t lines);

#endif
