/* SPDX-License-Identifier: MIT */
/*
 * Writers of diffs: one row a format. See profile/diff.h.
 */
#ifndef FORMATS_DIFF_FORMATS_H
#define FORMATS_DIFF_FORMATS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct diff;

struct diff_format_options {
    bool full_filenames; /* labels carry the whole path instead of the short one */
    uint32_t rows;       /* that each part of the table has at most */
    bool with_noise;     /* the table has what does not differ beyond noise, too */
    bool with_colours;   /* the table has a terminal's escape sequences */
    uint32_t columns;    /* of the terminal, into which rows are to fit; 0: as long as they are */
};

struct diff_format {
    const char *name;
    const char *help;
    const char *extension;      /* of default file names, with the dot */
    const char *const *endings; /* file name endings that choose this format, with the dot; ends with NULL */

    /* Errors of the stream are the caller's to look for. */
    struct error *(*write)(const struct diff *diff, const struct diff_format_options *options, FILE *out);
};

/* All formats, the table first. */
const struct diff_format *diff_formats_all(size_t *ret_count);

/* NULL when there is none of this name, or for this ending; letter case is ignored. */
const struct diff_format *diff_format_by_name(const char *name);
const struct diff_format *diff_format_by_ending(const char *path);

#endif
