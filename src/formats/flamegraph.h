/* SPDX-License-Identifier: MIT */
/*
 * The flame graph's <svg>, alone or in a page.
 */
#ifndef FORMATS_FLAMEGRAPH_H
#define FORMATS_FLAMEGRAPH_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

struct format_options;
struct picture;
struct profile;

/* What stands around it. */
struct flamegraph_frame {
    bool is_in_page; /* the page's own script starts it, and it has the page's address and keys */
    struct error *(*write_more_data)(const void *context, FILE *out); /* <metadata> for that script, or NULL */
    const void *context;
};

struct error *flamegraph_write_in(const struct flamegraph_frame *frame, const struct profile *profile,
                                  const struct format_options *options, FILE *out);

/* The same for a picture that is made already; the profile is what the script can show. */
struct error *flamegraph_write_picture(const struct flamegraph_frame *frame, struct picture *picture,
                                       const struct profile *profile, FILE *out);

#endif
