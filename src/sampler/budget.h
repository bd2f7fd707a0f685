/* SPDX-License-Identifier: MIT */
/*
 * How much CPU time may be spent while threads of programs are stopped for samples, where our control group has a quota
 * (target/quota.h). Who is throttled with a thread in his hands holds it for the rest of the period, 95 ms of 100 with
 * a twentieth of a CPU; so we keep well below the quota, and samples wait rather.
 *
 *     budget_set(&budget, &quota)      again and again: a quota can change
 *     before a sample, if budget_is_limited(&budget), sleep until budget_rest_end_ns(&budget, now, used)
 */
#ifndef SAMPLER_BUDGET_H
#define SAMPLER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct quota;

/* A zeroed one has no limit. */
struct budget {
    _Atomic uint64_t quota_ns, period_ns; /* 0: there is no limit */
    int64_t left_ns;                      /* CPU time; below 0: it is used up */
    uint64_t seen_ns, used_ns;            /* by the clock and of CPU time, when it was looked at last */
};

/* NULL: there is no quota. May be called by any thread. */
void budget_set(struct budget *budget, const struct quota *quota);

/* Whether there is a quota; without one nothing need be noted. */
bool budget_is_limited(struct budget *budget);

/* Notes what was used until now, and returns when it may go on: now, or later. used_ns: see below; less than before:
 * nothing. */
uint64_t budget_rest_end_ns(struct budget *budget, uint64_t now_ns, uint64_t used_ns);

/*
 * The CPU time that all our threads have had. With a quota of less than a CPU, that of the processes of ours that read
 * files, too (base/confined.h): each is busy for some seconds at most, but as much as it can.
 */
uint64_t budget_used_ns(struct budget *budget);

#endif
