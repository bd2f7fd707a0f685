/* SPDX-License-Identifier: MIT */
/*
 * Samples as stretches of time, for formats that have a time axis.
 *
 * A sample is a point, and stands for some intervals that end with the one that it is in. These are its tile. The tiles
 * of one thread stand side by side in the order of time: where two would overlap, as when a stack stands for intervals
 * that did not follow each other, the later one begins where the earlier one ends. So the time axis is true, and a
 * thread's tiles can be shorter than its samples say; tile->weight is what the sample says. Between the tiles nothing
 * was seen: the thread was idle, or not there yet, or is not in view.
 *
 * Stacks are those of a profile without roots for threads and processes, with the lines that are wanted; it is the same
 * for all threads. A sample without a frame has the root.
 */
#ifndef FORMATS_TIMELINE_H
#define FORMATS_TIMELINE_H

#include "base/error.h"
#include "profile/reduce.h"
#include "tile.h"

#include <stdint.h>

struct profile;
struct view;

struct timeline_thread {
    uint64_t tiles;   /* that are not empty */
    uint64_t samples; /* weights added up */
    uint64_t end_ns;  /* of its last tile so far */
};

struct timeline {
    const struct view *view;
    struct profile *profile;
    uint32_t *nodes;                 /* by node of the view's profile: that of ours */
    struct timeline_thread *threads; /* by thread */
    uint32_t *order;                 /* threads that have samples: the first main one, then by samples */
    uint32_t order_count;
    uint32_t thread_count;
    uint64_t end_ns; /* of the recording, and no tile ends later */
};

/* The view must outlive it. On failure there is nothing to deinit. */
struct error *timeline_init(struct timeline *timeline, const struct view *view, enum profile_lines lines);

/* Accepts a zeroed struct. */
void timeline_deinit(struct timeline *timeline);

/* Visits all tiles in the order in which they end, those that are empty too. An error ends the round. */
struct error *timeline_each_tile(struct timeline *timeline, tile_visitor visit, void *context);

/* Where threads and processes have their names: frames of the view's profile, by thread or process; PROFILE_NONE for
 * one without samples. The caller frees the array. */
struct error *timeline_group_frames(const struct timeline *timeline, uint32_t **ret_threads, uint32_t **ret_processes);

/* The kernel's number of a process or thread. Who has none gets one above all that Linux gives out. */
int64_t timeline_pid(const struct timeline *timeline, uint32_t process);
int64_t timeline_tid(const struct timeline *timeline, uint32_t thread);

#define cleanup_timeline __attribute__((cleanup(timeline_deinit)))

#endif
