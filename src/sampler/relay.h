/* SPDX-License-Identifier: MIT */
/*
 * A relay of threads, each pinned to one CPU, of which one at a time has the baton and runs the steps of some work.
 *
 * A step says on which CPU the next one has to run. Where that is another CPU the baton is handed over: a sleeping
 * pinned thread that is woken up preempts what runs there within microseconds, while a thread that moves itself waits
 * for milliseconds. A runner's thread is made when its CPU first needs one.
 */
#ifndef SAMPLER_RELAY_H
#define SAMPLER_RELAY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { RELAY_STOP = -1 }; /* returned by a step: the work is done */

struct relay;

/*
 * One step. cpu is where it runs (unless our own cpuset is changed meanwhile). Returns where the next step has to run,
 * or RELAY_STOP.
 */
typedef int (*relay_step)(void *context, int cpu);

/* Makes a relay that waits. */
struct error *relay_create(relay_step step, void *context, struct relay **ret);

/* Stops the work and waits for its end. Accepts NULL. */
void relay_destroy(struct relay *relay);

/* Lets the first step run, on any CPU. To be called once. */
struct error *relay_start(struct relay *relay);

/*
 * Called by a step: sleeps until a time of CLOCK_MONOTONIC. Returns false when the relay is to stop, which can be at
 * once.
 */
bool relay_sleep_until(struct relay *relay, uint64_t time_ns);

/*
 * Called by a step: the next one has nothing to do before a time of CLOCK_MONOTONIC, which it may sleep until. Should
 * it be on another CPU, it need not begin before.
 */
void relay_rest_until(struct relay *relay, uint64_t time_ns);

/* Called by a step: whether the next one can be on this CPU. If not, we may not run threads there. */
bool relay_can_reach(struct relay *relay, int cpu);

/* Called by a step: another CPU than this one where the next step can be; this one when there is none. */
int relay_other_cpu(struct relay *relay, int cpu);

/*
 * Called by a step: the thread that runs it ends when it returns, and another one takes its place on its CPU. What the
 * kernel ties to a thread goes with it. False when no other thread can be had; then the step has to return RELAY_STOP.
 */
bool relay_renew(struct relay *relay);

/* Waits until the work is done, because a step said so. */
void relay_wait(struct relay *relay);

static inline void cleanup_relay_destroy(struct relay **relay)
{
    relay_destroy(*relay);
}

#define cleanup_relay __attribute__((cleanup(cleanup_relay_destroy)))

#endif
