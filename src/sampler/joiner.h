/* SPDX-License-Identifier: MIT */
/*
 * Makes stacks of C frames and Python frames, on a thread of its own: unwinding and looking up names takes too long for
 * the thread that samples, which keeps the program off its CPU. It only hands over copies.
 *
 *     joiner_create(..., &joiner);
 *     joiner_add(joiner, &sample, ...)           for each stack
 *     joiner_destroy(joiner);                    when all that was handed over is in the log
 *
 * What is handed over is worked off in its order. The lock that its owner has on profile, finder and log is taken for
 * each sample, and must not be held when the joiner is drained or destroyed.
 */
#ifndef SAMPLER_JOINER_H
#define SAMPLER_JOINER_H

#include "base/error.h"
#include "c_stacks.h"
#include "stack_frame.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct counters;
struct native_stacks;
struct sample;
struct sample_log;
struct stack_finder;

/* Where the results go, and what they are made with. All must outlive the joiner. */
struct joiner_owner {
    pthread_mutex_t *lock;
    struct stack_finder *finder;
    struct sample_log *log;
    struct counters *counters; /* of C stacks that stacks are without, wholly or in parts */
};

struct joiner;

/* Takes the stacks over, also on failure. */
struct error *joiner_create(struct native_stacks *stacks, const struct joiner_owner *owner, struct joiner **ret);

/* Works off what is left. Accepts NULL. */
void joiner_destroy(struct joiner *joiner);

/* Has it begin with what is left, without waiting for more. */
void joiner_call(struct joiner *joiner);

/* Waits until nothing is left, but not for long. */
void joiner_drain(struct joiner *joiner);

/* Whether nothing is left now. To be called with the owner's lock held: then it stays so. */
bool joiner_is_idle(struct joiner *joiner);

/*
 * Hands a sample over, with all of its stack but the node. serial: of the thread. c_stack: NULL when there is none.
 * False without memory, now or for an earlier one.
 */
bool joiner_add(struct joiner *joiner, const struct sample *sample, uint32_t serial, const struct joined_python *frames,
                uint32_t count, const struct c_stack *c_stack);

/*
 * Hands a sample over whose stack is the last one of that thread, or if it is SAMPLE_RECALLED the last one of those
 * that were SAMPLE_ACTIVE, or were not, as it is itself.
 */
bool joiner_add_again(struct joiner *joiner, const struct sample *sample, uint32_t serial);

/* The profile has forgotten its nodes. To be called while idle, with the owner's lock held. */
void joiner_forget(struct joiner *joiner);

static inline void cleanup_joiner_destroy(struct joiner **joiner)
{
    joiner_destroy(*joiner);
}

#define cleanup_joiner __attribute__((cleanup(cleanup_joiner_destroy)))

#endif
