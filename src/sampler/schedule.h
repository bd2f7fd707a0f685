/* SPDX-License-Identifier: MIT */
/*
 * When to sample: time is cut into intervals, each of which has one deadline, uniformly random inside it. So a program
 * that does things at regular times is not always met at the same point, and the times between samples vary less than
 * with exponential gaps.
 */
#ifndef SAMPLER_SCHEDULE_H
#define SAMPLER_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    uint64_t start_ns;
    uint64_t interval_ns;
    uint64_t end_ns;         /* UINT64_MAX for no end */
    uint64_t interval_limit; /* number of intervals, the last of which the end may cut; UINT64_MAX for no end */
    uint64_t interval;       /* the current one, from 0 */
    uint64_t paused;         /* how many before it are no part of the time that counts */
    uint64_t deadline_ns;    /* of the current one */
    uint64_t random;
};

/* Begins at start_ns of CLOCK_MONOTONIC, with the first interval's deadline. duration_ns 0: without end. */
void schedule_init(struct schedule *schedule, uint64_t start_ns, uint64_t interval_ns, uint64_t duration_ns,
                   uint64_t seed);

/* Whether no deadline is left before the end. */
bool schedule_is_over(const struct schedule *schedule);

/* Moves on to the first interval that has not ended at now_ns, and returns how many were passed over. */
uint64_t schedule_advance(struct schedule *schedule, uint64_t now_ns);

/* Moves on to an interval, if it is a later one: those before it have passed, whoever saw them. */
void schedule_skip_to(struct schedule *schedule, uint64_t interval);

/* Moves on likewise, after a pause: what has passed of it is no part of the time that counts, and puts off the end. */
void schedule_resume(struct schedule *schedule, uint64_t since_ns, uint64_t now_ns);

uint64_t monotonic_now_ns(void);

#endif
