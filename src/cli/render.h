/* SPDX-License-Identifier: MIT */
/*
 * From a recording to its results: the view that is asked for, in each format.
 */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "base/error.h"

struct outputs;
struct picture_options;
struct recording_file;
struct view_options;

enum render_end {
    RENDER_SILENT, /* nothing is said of it */
    RENDER_PLAIN,
    RENDER_WITH_SUMMARY, /* on a terminal, what took most time and what to do next is said besides */
};

/* Writes the outputs that are open, and says where they are. The view's filter is that of the options. */
struct error *render(struct recording_file *file, int fd, const struct picture_options *options,
                     const struct view_options *view, struct outputs *outputs, enum render_end end);

#endif
