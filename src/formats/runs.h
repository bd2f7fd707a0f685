/* SPDX-License-Identifier: MIT */
/*
 * What the time axis of a page reads: what each thread did, as runs of intervals in one node.
 */
#ifndef FORMATS_RUNS_H
#define FORMATS_RUNS_H

#include "base/error.h"

#include <stdio.h>

struct view;

/*
 * Writes the column "runs" (see columns.h): their count, then for each the thread, the gap since the end of that
 * thread's last run, its length in intervals, and the node, as the column "nodes" of picture_write_data() numbers those
 * of the view's profile. Memory goes with the threads and the nodes, not with the samples.
 */
struct error *runs_write(const struct view *view, FILE *out);

#endif
