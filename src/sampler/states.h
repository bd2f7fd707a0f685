/* SPDX-License-Identifier: MIT */
/*
 * Which threads run, or are ready to: asked for as seldom as may be, as each question is a system call.
 *
 * In each interval those are asked for that ran when they were looked at last, that have or had a GIL, or are new. The
 * others sleep, as long as the process's CPU time has grown by no more than theirs; where it has grown by more,
 * somebody else ran, and the others are looked at in turn, each of them at least every STATES_SWEEP_NS, until he is
 * found. That time is read every 20 ms at least, so that who wakes up is found after 50 ms at the latest.
 *
 * Whoever was running when we went to sleep, and was running or ready to for all of the time that we slept, still is:
 * his times tell, which are cheaper to read than his state.
 */
#ifndef SAMPLER_STATES_H
#define SAMPLER_STATES_H

#include "thread_list.h"

#include <stdbool.h>
#include <stdint.h>

enum { STATES_SWEEP_NS = 30000000 };

struct states {
    const struct process *process;
    uint64_t slept_ns;       /* for how long we slept before the current interval */
    bool is_swept;           /* the current interval had its turn of looking at sleeping threads */
    bool has_time;           /* process_ns is known */
    uint64_t process_ns;     /* the process's CPU time when it was read last, */
    uint64_t time_ns;        /* and when that was */
    uint64_t unexplained_ns; /* how much more (modulo 2^64) it has grown since than that of the threads looked at */
    uint32_t suspect_count;  /* threads that are to be looked at before that counts as explained: one that ended, say */
    uint32_t next;           /* position of the one that is looked at next */
    uint64_t swept_ns;       /* when some were looked at last */
};

/* slept_ns: for how long we slept, just now; 0 when we did not. */
void states_begin_interval(struct states *states, struct thread_list *threads, uint64_t slept_ns);

/* Makes known the states of threads that are not known for this interval. */
void states_read(struct states *states, struct thread_list *threads, const struct python *python);

#endif
