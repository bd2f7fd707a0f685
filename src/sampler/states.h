/* SPDX-License-Identifier: MIT */
/*
 * Which threads run, or are ready to: asked for as seldom as may be, as each question is a system call.
 *
 * In each interval those are asked for that have or had a GIL, that are new, and that have been busy lately: they are
 * followed. The others sleep, as long as the process's CPU time has grown by no more than that of those who were asked.
 * Where it has grown by more, somebody else ran. Then the others are looked at in turn, so many in each interval that
 * nobody waits longer than STATES_SWEEP_NS, or for more than STATES_TURN_LIMIT intervals. One who is found running
 * counts for as many intervals as there are turns: so it is no matter for the shares that he was not looked at in most
 * of them, but for those that passed until that growth was noticed. That CPU time is read when 30 ms have passed at
 * most, so that who begins to be busy is followed after 50 ms.
 *
 * Whoever was running when he was looked at last, and was running or ready to for all of the time since then, still is:
 * his times tell, which are cheaper to read than his state. Where departures are written down (target/departures.h),
 * they tell it without a system call, which is made use of in intervals in which the process's CPU time is not read.
 *
 * Whoever waited for a GIL sleeps until it is given to him. So he is not asked, as long as the GIL's own words, which
 * each copy has, tell that others had it, and that one has it now, but every STATES_SWEEP_NS. (One to whom it was
 * given, and who has no CPU yet when another one takes it back, is taken for one who sleeps.)
 */
#ifndef SAMPLER_STATES_H
#define SAMPLER_STATES_H

#include "thread_list.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STATES_SWEEP_NS = 30000000,
    STATES_TURN_LIMIT = 16, /* intervals until each of those who are not followed has had his turn */
};

struct states {
    const struct process *process;
    bool with_idle;          /* those who sleep count in each interval, too */
    bool notes_departures;   /* of those who run, where nobody else does, */
    bool has_begun;          /* and in the current interval it has begun to, of one */
    bool asks_beforehand;    /* who runs has to be known before a copy is made */
    uint64_t slept_ns;       /* for how long we slept before the current interval */
    bool reads_time;         /* in the current interval the process's CPU time is read, */
    bool is_swept;           /* and it had its turn of looking at sleeping threads */
    bool has_time;           /* process_ns is known */
    uint64_t process_ns;     /* the process's CPU time when it was read last, */
    uint64_t time_ns;        /* and when that was */
    uint64_t unexplained_ns; /* how much more (modulo 2^64) it has grown since than that of the threads looked at */
    uint32_t suspect_count;  /* threads that are to be looked at before that counts as explained: one that ended, say */
    uint32_t next;           /* position of the one that is looked at next */
    uint64_t swept_ns;       /* when some were looked at last */
    uint32_t rest;           /* of the division into turns */
};

/* slept_ns: for how long we slept, just now; 0 when we did not. */
void states_begin_interval(struct states *states, struct thread_list *threads, uint64_t slept_ns);

/*
 * Makes known the states of threads that are not known for this interval: before a copy is made, but for those that
 * waited for a GIL (thread->is_open), and of all when it is made.
 */
void states_read(struct states *states, struct thread_list *threads, const struct python *python);
void states_settle(struct states *states, struct thread_list *threads, const struct python *python);

/*
 * To be called before a further look in the same interval: says of the threads that are not done who has gone to sleep
 * since the first one (thread->fell_asleep), and who only began to run after the deadline (thread->was_asleep).
 */
void states_revise(struct states *states, struct thread_list *threads, uint64_t deadline_ns);

#endif
