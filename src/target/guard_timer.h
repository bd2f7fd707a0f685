/* SPDX-License-Identifier: MIT */
/*
 * How a thread tells the guard (target/guard.h) for how long it holds others. The guard need not look at us for that,
 * as it may be us who do not run: it waits for timers of the kernel.
 */
#ifndef TARGET_GUARD_TIMER_H
#define TARGET_GUARD_TIMER_H

/* A timer for the calling thread, to be closed when the thread ends; -1: there is no guard, or none to be had. */
int guard_timer_open(void);

/* The thread begins to hold others, and has let go of all of them. Both accept -1. */
void guard_timer_begin(int timer);
void guard_timer_end(int timer);

#endif
