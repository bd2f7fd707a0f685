/* SPDX-License-Identifier: MIT */
/*
 * A profile with less detail: threads or processes put together, or frames told apart by function alone.
 */
#ifndef PROFILE_REDUCE_H
#define PROFILE_REDUCE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct profile;

enum profile_lines {
    PROFILE_CURRENT_LINE,  /* a frame is told from others by the line that it executes */
    PROFILE_FUNCTION_LINE, /* by the function's first line */
    PROFILE_NO_LINE,       /* by the function's name and file alone */
};

/* What is told apart. */
struct profile_detail {
    enum profile_lines lines;
    bool with_threads;   /* each thread has a root frame of its own */
    bool with_processes; /* each process has one, above those of its threads */
};

/*
 * Makes a profile of the same samples, in which root frames that are not wanted are left out and frames have the line
 * that is. Python frames whose first line is not known keep the one that they have. Members and info are those of the
 * source.
 */
struct error *profile_reduce(const struct profile *source, const struct profile_detail *detail, struct profile **ret);

/* The same, and says for each node of the source which node has its samples, in an array that the caller frees. */
struct error *profile_reduce_mapped(const struct profile *source, const struct profile_detail *detail,
                                    struct profile **ret, uint32_t **ret_nodes);

#endif
