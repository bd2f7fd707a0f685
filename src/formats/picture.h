/* SPDX-License-Identifier: MIT */
/*
 * The parts of the flame graph's file: a still picture that is complete without scripts, and the data from which the
 * script draws any other view.
 *
 * The still picture has a box for every frame that is at least half a pixel wide; the data has every frame.
 */
#ifndef FORMATS_PICTURE_H
#define FORMATS_PICTURE_H

#include "base/buffer.h"
#include "base/error.h"
#include "caption.h"
#include "legend.h"
#include "profile/calltree.h"

#include <stdint.h>
#include <stdio.h>

struct format_options;
struct picture_diff;
struct profile;

/* Geometry in pixels; what the script has to know is in the data. */
enum {
    PICTURE_WIDTH = 1200,
    PICTURE_MARGIN = 10,
    PICTURE_ROW = 18,    /* of one frame, the gap to the next row included */
    PICTURE_BOTTOM = 12, /* below the root */
    PICTURE_EMPTY = 640, /* the width of one that only says why it is empty: text that may be made smaller */
};

struct picture {
    const struct profile *profile;
    const struct format_options *options;
    struct calltree tree;
    struct captions captions;
    struct legend legend;
    uint32_t frame_limit;            /* above every frame of the tree */
    uint32_t depth;                  /* of the deepest box that is drawn */
    const struct picture_diff *diff; /* NULL: of one recording */
    struct buffer title;             /* fit for eyes */
    struct buffer facts;
    struct buffer facts_lines, reasons; /* as they stand in the still picture; reasons: why there are no samples */
    uint32_t top;                       /* the head's height, above the highest row */
};

/* Both accept a zeroed struct; deinit one that init failed on, too. */
struct error *picture_init(struct picture *picture, const struct profile *profile,
                           const struct format_options *options);

/* A picture of two recordings: the profile is that of diff_make_widths(). */
struct error *picture_init_diff(struct picture *picture, const struct profile *profile,
                                const struct format_options *options, const struct picture_diff *diff);
void picture_deinit(struct picture *picture);

uint32_t picture_width(const struct picture *picture);
uint32_t picture_height(const struct picture *picture);

/* Title, facts and legend. */
struct error *picture_write_head(struct picture *picture, FILE *out);

/* The boxes, or the reasons why there are none. */
struct error *picture_write_boxes(struct picture *picture, FILE *out);

/*
 * What the script reads: all that the profile has, of which the picture may show less. It may be the picture's own
 * profile.
 */
struct error *picture_write_data(const struct picture *picture, const struct profile *profile, FILE *out);

#define cleanup_picture __attribute__((cleanup(picture_deinit)))

#endif
