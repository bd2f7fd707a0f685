/* SPDX-License-Identifier: MIT */
/*
 * What a look that came late, or did not come at all, says of the time that it was due.
 *
 * A CPU that runs something else does not always let us on at once: it is kept by the program itself, when it has just
 * woken up, or by another one, to which the program loses the CPU as we do. So who comes late finds the program in
 * its next sleep too often, and of the intervals that he slept through more were busy than those that he saw. What a
 * sample must tell is the state at the deadline. Hence:
 *
 * - A thread that sleeps when it is looked at late, but ran since the look before, was running when the look was due.
 * - In an interval that passed without a look a thread was running if it ran at any time since the look before.
 *
 * Where it was running, nobody knows: half of such intervals count for the running stack that was seen before, and the
 * others for the one that is seen next. A thread that slept all the time has one stack, which counts for all.
 *
 * Who is found running on another CPU is looked at there, some 50 us after the deadline. If it sleeps by then, it is as
 * with a late look; if it has only run for less than that, our wake-up came together with its own, and it slept.
 *
 * A longer gap is a stall of ours (a suspended machine, SIGSTOP): nobody is charged with it.
 *
 * tests/bench/README.md has the measurements, and what else was tried.
 */
#ifndef SAMPLER_LATENESS_H
#define SAMPLER_LATENESS_H

#include "thread_list.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LATE_NS = 150000,    /* a look that comes so much after its deadline is late */
    STALL_NS = 20000000, /* several slices of the scheduler: who sleeps longer was not only kept waiting */
    OWED_INTERVALS_LIMIT = 1000,
};

/* One look at a process. */
struct look {
    uint64_t interval; /* its number */
    uint64_t deadline_ns;
    uint64_t late_ns;  /* after its deadline */
    uint64_t slept_ns; /* for how long we slept until then */
    uint32_t passed;   /* intervals between the look before and this one, when that was no stall */
};

/*
 * Says for how many intervals a thread's stack counts, now that its state is known: thread->weight when it is counted
 * now, thread->owed_before for its last running stack, and thread->owed for its next one. Of the intervals up to the
 * current one, thread->owed_now are owed to a thread that sleeps now.
 */
void lateness_judge(const struct look *look, struct sampled_thread *thread);

/*
 * The same for a further look in the same interval, where that found out that threads had just gone to sleep
 * (thread->fell_asleep), or had still been asleep at the deadline (thread->was_asleep): they are done then.
 */
void lateness_judge_again(const struct look *look, struct thread_list *threads);

#endif
