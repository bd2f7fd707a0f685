/* SPDX-License-Identifier: MIT */
/* A few lines for the end of a recording: the functions that took most time themselves. */
#ifndef FORMATS_SUMMARY_H
#define FORMATS_SUMMARY_H

#include "base/error.h"

#include <stdio.h>

struct format_options;
struct profile;

/*
 * Writes the first five functions by self time, with self and total time; nothing when there are no samples. What it
 * looks like, options->tree says; the profile is that of a view, or any other. Errors of the stream itself are for the
 * caller to look for; returns an error only when memory runs out.
 */
struct error *summary_write(const struct profile *profile, const struct format_options *options, FILE *out);

#endif
