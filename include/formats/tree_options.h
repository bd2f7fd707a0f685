/* SPDX-License-Identifier: MIT */
/*
 * What the format "tree" and the summary ask about how they are to be shown. They look at no terminal and at no
 * environment: whoever does fills this in. Zeroes give everything, in plain UTF-8 of any width.
 */
#ifndef FORMATS_TREE_OPTIONS_H
#define FORMATS_TREE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { TREE_MIN_PERCENT = 1 }; /* what is usual for min_percent */

struct tree_options {
    double min_percent; /* rows with less of the whole time are left out */
    uint32_t depth;     /* rows further in than this are left out; 0: no limit */
    bool show_all;      /* neither library frames nor the import system are folded */
    bool only_self;     /* a flat table of functions by self time, in place of the tree */
    bool with_percent;  /* shares alone, without seconds */
    bool use_colour;    /* escape sequences of a terminal */
    bool use_ascii;     /* nothing but ASCII */
    uint32_t width;     /* columns of a line; 0: no limit */
};

#endif
