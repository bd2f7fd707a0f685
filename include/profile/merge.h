/* SPDX-License-Identifier: MIT */
/*
 * One recording made of several: of runs one after another, of processes side by side, of the ranks of a job.
 *
 *     for each recording: merge_note(merge, file, "a.pyspyc")      what it says of itself
 *     merge_begin(merge, fd)
 *     for each, in the same order: merge_add(merge, file)          its samples
 *     merge_finish(merge)
 *
 * A recording need not stay open between the two, so that only one of them is in memory at a time. What is written has:
 *
 * - all processes and threads of each recording, as members of their own; functions and stacks that are the same, once.
 * - the times of each recording from its own begin, so that runs lie above each other; but those whose wall-clock times
 *   overlap went on together, and keep their distance from the first of them. Clocks of different machines are
 * believed. The begin of the whole is known when all of them went on together. It lasts until the end of the last.
 * - the interval of the fastest. A recording that is n times as slow has each of its samples stand for n times as many
 *   intervals; an interval that is no multiple of the fastest one's is refused. As rates become intervals of whole
 *   nanoseconds, it may be off by up to n of them.
 * - sums of all that is counted. What samples count as is not touched otherwise: a recording of twice the time or twice
 *   the threads weighs twice as much.
 */
#ifndef PROFILE_MERGE_H
#define PROFILE_MERGE_H

#include "base/error.h"

#include <stdint.h>

struct merge;
struct recording_file;

/* table_limit: bytes of strings, frames and stacks that are held before they are only in the file; 0: none. */
struct error *merge_create(uint64_t table_limit, struct merge **ret);

/* Accepts NULL. */
void merge_destroy(struct merge *merge);

/* name is for messages, and must outlive the merge. */
struct error *merge_note(struct merge *merge, const struct recording_file *file, const char *name);

/*
 * Begins to write to a descriptor, which stays the caller's. The title is that of the recordings when all have the
 * same, else "3 recordings". Errors: ERROR_USAGE when there is none, or when their rates do not fit together.
 */
struct error *merge_begin(struct merge *merge, int fd);

/* Errors: ERROR_BAD_DATA when the recording is not what it was when it was noted, ERROR_OS as for a full disk. */
struct error *merge_add(struct merge *merge, struct recording_file *file);

/* Marks what was written as finished. */
struct error *merge_finish(struct merge *merge);

static inline void cleanup_merge_destroy(struct merge **merge)
{
    merge_destroy(*merge);
}

#define cleanup_merge __attribute__((cleanup(cleanup_merge_destroy)))

#endif
