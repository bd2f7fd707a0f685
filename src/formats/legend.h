/* SPDX-License-Identifier: MIT */
/*
 * The families of colours that a tree has, and how much of the samples ended in frames of each.
 */
#ifndef FORMATS_LEGEND_H
#define FORMATS_LEGEND_H

#include "base/error.h"
#include "colour.h"

#include <stdbool.h>
#include <stdint.h>

struct calltree;
struct profile;

struct legend {
    struct {
        bool is_present; /* a frame of the tree has it */
        uint64_t self;   /* samples */
    } families[COLOUR_FAMILIES];
};

/* Looks at the tree; every one of its frames must be below frame_limit. */
struct error *legend_fill(struct legend *legend, const struct profile *profile, const struct calltree *tree,
                          uint32_t frame_limit);

#endif
