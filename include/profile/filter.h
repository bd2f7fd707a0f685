/* SPDX-License-Identifier: MIT */
/*
 * Which stacks and frames are shown: pprof's focus, ignore, show-from and hide, on labels, with PCRE2 expressions.
 *
 * A frame's label is `name (file:line)`, where name is qualified if the program tells and file is the whole path; that
 * of native code is `name (library)` where its source is not known, that of a system call `name (kernel)`. It is
 * matched as the program gives it, and only the first FILTER_NAME_LIMIT bytes of the name and FILTER_FILE_LIMIT bytes
 * of the file are. Only frames of code and marks are judged, not the roots of processes and threads.
 *
 * The order is pprof's (profile/filter.go and internal/driver/driver_focus.go there): stacks are chosen by all of their
 * frames (focus, ignore), then frames are hidden, then what is above the outermost frame of show-from is cut off. So a
 * hidden frame is no start, and a stack that has no other is not shown. Time of a hidden frame goes to its caller.
 *
 * Expressions come from the person at the terminal, labels from the program, and together they could take for ever. A
 * match that takes too many steps is given up, counts as no match, and is counted.
 */
#ifndef PROFILE_FILTER_H
#define PROFILE_FILTER_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FILTER_NAME_LIMIT = 1000,
    FILTER_FILE_LIMIT = 4096,
};

struct profile;
struct filter;

/*
 * Texts are regular expressions: PCRE2's, on UTF-8, found anywhere in the label; \w and its like know all letters.
 * NULL: not asked for. They need not outlive filter_create().
 */
struct filter_options {
    const char *focus;     /* only stacks that have a frame like this */
    const char *ignore;    /* no stacks that have a frame like this */
    const char *show_from; /* only stacks that have a frame like this, from the outermost such one on */
    const char *hide;      /* no frames like this */
    const char *thread;    /* only threads whose name, or number in decimal (the kernel's, if known), is like this */
    bool only_main_thread; /* of each process */
    bool hide_importlib;   /* no frames of the import system */
    bool hide_stdlib;      /* no frames of the standard library, the import system's among them */
};

/* ERROR_USAGE, with the place of the mistake, for what is no expression. */
struct error *filter_create(const struct filter_options *options, struct filter **ret);

/* Accepts NULL. */
void filter_destroy(struct filter *filter);

/* Whether stacks of a thread are shown. Like filter_judge(), to be asked once and remembered, and by one at a time. */
bool filter_accepts_thread(const struct filter *filter, const struct profile *profile, uint32_t thread);

/* What is asked for says of one frame. Never both is_start and is_hidden. */
struct filter_verdict {
    bool is_focus, is_ignored, is_start, is_hidden;
};

struct filter_verdict filter_judge(const struct filter *filter, const struct profile *profile, uint32_t frame);

/* Whether stacks without a frame that is_focus, or is_start, are not shown. */
bool filter_needs_focus(const struct filter *filter);
bool filter_needs_start(const struct filter *filter);

/* How many matches were given up so far. */
uint64_t filter_abandoned(const struct filter *filter);

/*
 * Appends what is asked for, in words for a picture's head: `focus "conv2d", hide "^<module>", without the import
 * system`. Nothing where all is shown, and for NULL. The expressions are raw text.
 */
void filter_describe(const struct filter *filter, struct buffer *out);

static inline void cleanup_filter_destroy(struct filter **filter)
{
    filter_destroy(*filter);
}

#define cleanup_filter __attribute__((cleanup(cleanup_filter_destroy)))

#endif
