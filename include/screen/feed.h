/* SPDX-License-Identifier: MIT */
/*
 * What a live view knows of a recording: a profile of its own, which nobody else touches, and the samples of the last
 * seconds, so that they can be made a recording of when somebody has seen something.
 *
 *     feed_create(keep_ns, &feed);
 *     recording_hand_over(recording, process, &feed_taker, feed);    each second
 *     feed_take_new(feed, &count)                                    samples since the last call
 *     feed_write(feed, fd)                                           those of the last seconds, as a recording
 *
 * Memory is bounded: samples by time and by number, the profile because it begins anew whenever that of the recording
 * does (struct recording_options.table_limit).
 */
#ifndef SCREEN_FEED_H
#define SCREEN_FEED_H

#include "base/error.h"
#include "profile/profile.h"
#include "profile/sample.h"
#include "sampler/recording.h"

#include <stdbool.h>
#include <stdint.h>

struct feed;

/* keep_ns: how long samples are kept. */
struct error *feed_create(uint64_t keep_ns, struct feed **ret);

/* Accepts NULL. */
void feed_destroy(struct feed *feed);

/* Its context is a feed. */
extern const struct recording_taker feed_taker;

/* NULL until something was handed over. Its nodes, frames, threads and processes stay what they are in one era. */
const struct profile *feed_profile(const struct feed *feed);

/* How often everything was forgotten, as there were too many stacks. */
uint32_t feed_era(const struct feed *feed);

/* The samples that came since the last call; valid until the next hand-over. */
const struct sample *feed_take_new(struct feed *feed, uint32_t *ret_count);

/* How much time the samples that are kept cover. */
uint64_t feed_kept_ns(const struct feed *feed);

/*
 * Writes the samples that are kept to a descriptor, as a recording of that time alone. Errors: ERROR_NOT_FOUND when
 * there is nothing yet, and those of recording_writer_write().
 */
struct error *feed_write(struct feed *feed, int fd);

static inline void cleanup_feed_destroy(struct feed **feed)
{
    feed_destroy(*feed);
}

#define cleanup_feed __attribute__((cleanup(cleanup_feed_destroy)))

#endif
