/* SPDX-License-Identifier: MIT */
/*
 * The flame graph of two recordings: how its boxes are coloured, and what is said of them.
 *
 * Boxes are as wide as what they stand for after the change, and what is gone, as wide as it was. The colour tells how
 * total time changed, from 0, 1 and 5 points on (or, of seconds, percent of all time): red is more, blue is less, which
 * nearly everybody can tell apart; grey may be noise; what is gone is dashed.
 */
#ifndef FORMATS_PICTURE_DIFF_H
#define FORMATS_PICTURE_DIFF_H

#include "base/buffer.h"
#include "base/error.h"
#include "profile/calltree.h"
#include "profile/diff.h"

#include <stdint.h>
#include <stdio.h>

/* Trees of both sides, whose nodes have the same places as those of the picture's tree. */
struct picture_diff {
    const struct diff *diff;
    struct calltree before, after;
};

struct error *picture_diff_init(struct picture_diff *picture, const struct diff *diff);

/* Accepts a zeroed struct. */
void picture_diff_deinit(struct picture_diff *picture);

/* The class of a node's box in the style sheet. */
const char *picture_diff_class(const struct picture_diff *picture, uint32_t node);

/* What is said of a node, in lines that each end in a newline. */
void picture_diff_append_details(struct buffer *out, const struct picture_diff *picture, uint32_t node);

/* What the colours mean: the class and the text of each; false at the end. */
bool picture_diff_legend(uint32_t number, const char **ret_class, const char **ret_text);

/* "before 12.3 s, 1,230 samples; after ..." */
void picture_diff_append_facts(struct buffer *out, const struct picture_diff *picture);

/* What the script has to know, besides the amounts: an object of JSON. */
void picture_diff_append_info(struct buffer *out, const struct picture_diff *picture);

/* The column of amounts, see picture_data.c. */
struct error *picture_diff_write_amounts(const struct picture_diff *picture, FILE *out);

#define cleanup_picture_diff __attribute__((cleanup(picture_diff_deinit)))

#endif
