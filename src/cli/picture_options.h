/* SPDX-License-Identifier: MIT */
/*
 * The options that verbs share which make pictures of recordings: what is in view, and how it is shown. Tables for
 * argp, to be used as children of a verb's own.
 */
#ifndef CLI_PICTURE_OPTIONS_H
#define CLI_PICTURE_OPTIONS_H

#include "base/error.h"
#include "formats/formats.h"
#include "profile/filter.h"

#include <argp.h>

struct command_line;

/* The input of filter_argp, and of picture_argp. */
struct picture_options {
    struct command_line *line; /* of the verb, where mistakes are noted */
    struct filter_options filter_options;
    struct filter *filter; /* made of them by picture_options_complete() */
    struct format_options format;
};

/* Makes the filter, so that what is wrong with it is known before the work is done. */
struct error *picture_options_complete(struct picture_options *options);

/* Accepts a zeroed struct. */
void picture_options_deinit(struct picture_options *options);

/* --focus, --ignore and the like: which stacks and frames are shown. */
extern const struct argp filter_argp;
extern const struct argp_option filter_argp_options[];

/* --function, --threads and the like: how they are shown. */
extern const struct argp picture_argp;
extern const struct argp_option picture_argp_options[];

#endif
