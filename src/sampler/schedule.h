/* SPDX-License-Identifier: MIT */
/*
 * When to sample: time is cut into intervals, and there is one deadline for each. A number of intervals that follow
 * each other, a group, has as many deadlines, each anywhere in the group and independent of the others: sorted, the
 * first is that of the first interval, and so on.
 *
 * So a program that does things at regular times is not always met at the same point. And so the times between samples
 * are nearly those of a Poisson process, which sees what is true of time even though each sample disturbs the program
 * (R. W. Wolff, Poisson arrivals see time averages, 1982): with one deadline in each interval, few samples would be
 * of the first part of an interval after another one, and what the program does in that, with a CPU that it has just
 * got back, would be seen too seldom. Yet all in all there are as many as there are intervals, and of one that is taken
 * outside of its interval the nearest time in it is told: so each has its place on an axis of time.
 */
#ifndef SAMPLER_SCHEDULE_H
#define SAMPLER_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SCHEDULE_GROUP_LIMIT = 8,     /* intervals, */
    SCHEDULE_GROUP_NS = 50000000, /* but no longer than this: what a look does to a program is over sooner */
};

struct schedule {
    uint64_t start_ns;
    uint64_t interval_ns;
    uint64_t end_ns;         /* UINT64_MAX for no end */
    uint64_t interval_limit; /* number of intervals, the last of which the end may cut; UINT64_MAX for no end */
    uint64_t interval;       /* the current one, from 0 */
    uint64_t origin_ns;      /* from when on time counts: start_ns, or later */
    uint64_t deadline_ns;    /* of the current one */
    uint64_t group_begin;    /* the first interval of the current group */
    uint32_t group_len;      /* intervals */
    uint64_t deadlines[SCHEDULE_GROUP_LIMIT];
    uint64_t random;
};

/* Begins at start_ns of CLOCK_MONOTONIC, with the first interval's deadline. duration_ns 0: without end. */
void schedule_init(struct schedule *schedule, uint64_t start_ns, uint64_t interval_ns, uint64_t duration_ns,
                   uint64_t seed);

/* Where an interval begins, in the time that counts, or where that begins. */
uint64_t schedule_begin_of(const struct schedule *schedule, uint64_t interval);

/* The time of the current deadline likewise, or the nearest one in its interval. */
uint64_t schedule_time(const struct schedule *schedule);

/* Lets time count from the interval on that now_ns is in. */
void schedule_count_from(struct schedule *schedule, uint64_t now_ns);

/* Whether no deadline is left before the end. */
bool schedule_is_over(const struct schedule *schedule);

/*
 * Moves on to the first of the following intervals whose deadline is not more than an interval ago at now_ns, and
 * returns how many were passed over.
 */
uint64_t schedule_advance(struct schedule *schedule, uint64_t now_ns);

/* The number of the first interval from the current one on whose deadline is not over at this time. */
uint64_t schedule_due(const struct schedule *schedule, uint64_t now_ns);

/* Moves on to that one. */
void schedule_leave(struct schedule *schedule, uint64_t now_ns);

/* Puts all that is to come off by a pause, which so is no part of the time. */
void schedule_put_off(struct schedule *schedule, uint64_t pause_ns);

uint64_t monotonic_now_ns(void);

#endif
