/* SPDX-License-Identifier: MIT */
/*
 * A recording as somebody wants to look at it: which samples count, and which of their frames are shown.
 *
 *     view_create(file, &options, &view);
 *     view_profile(view)                          the call tree, with the samples that are in view
 *     view_each_sample(view, visit, context)      these samples, one by one
 *
 * The call tree is as detailed as it can be (reduce.h makes it less so): below the root, each process has a root frame,
 * below that each of its threads has one, and frames are told apart by line. A thread without samples has no root
 * frame.
 */
#ifndef PROFILE_VIEW_H
#define PROFILE_VIEW_H

#include "base/error.h"
#include "profile/sample.h"

#include <stdbool.h>
#include <stdint.h>

#define VIEW_IDLE_MARK "<idle>"

struct filter;
struct profile;
struct recording_file;
struct view;

struct view_options {
    const struct filter *filter; /* which stacks and frames are shown, see filter.h; NULL: all */
    bool mark_idle;              /* stacks of threads that waited end in a mark, VIEW_IDLE_MARK */
    bool only_gil;               /* only samples of threads that held the GIL */
    uint64_t begin_ns, end_ns;   /* only samples in this time since the recording began; 0, 0: all */
};

/* The file and the filter must outlive the view. */
struct error *view_create(struct recording_file *file, const struct view_options *options, struct view **ret);

/* Accepts NULL. */
void view_destroy(struct view *view);

/* Its info is that of the recording, but for the duration, which is the time in view; its root counts nothing itself.
 */
const struct profile *view_profile(const struct view *view);

/*
 * sample->node is a node of view_profile(), and sample->time_ns since the begin of the time in view. Samples that are
 * not in view are passed over.
 */
struct error *view_each_sample(const struct view *view, sample_visitor visit, void *context);

static inline void cleanup_view_destroy(struct view **view)
{
    view_destroy(*view);
}

#define cleanup_view __attribute__((cleanup(cleanup_view_destroy)))

#endif
