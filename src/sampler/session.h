/* SPDX-License-Identifier: MIT */
/*
 * One Python process that is being read: its interpreters, its threads, and the taking of samples of which it can be
 * proved that they are snapshots. How that is proved, runners.h tells.
 *
 * Threads that move by themselves (without a GIL, or with interpreters that have one each) are on several CPUs. So an
 * interval can take several samples, each of which is proved for some of the threads:
 *
 *     session_begin_interval(session, &look);
 *     do {
 *         session_begin_sample(session, cpu, &cpu);
 *         in each of SESSION_ROUNDS rounds
 *             session_walk() each thread that is readable, and in this round
 *             session_end_sample(session);
 *             use what is still readable of them, and call it done
 *         session_let_go(session);
 *     } while (session_is_pending(session, &cpu));          on that CPU
 */
#ifndef SAMPLER_SESSION_H
#define SAMPLER_SESSION_H

#include "base/error.h"
#include "c_stacks.h"
#include "lateness.h"
#include "python/walk.h"
#include "runners.h"
#include "target/process.h"
#include "thread_list.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

enum { SESSION_ROUNDS = 2 };

enum sample_status {
    SAMPLE_PROVED,     /* for some of the pending threads, which can be walked; or there are none */
    SAMPLE_ELSEWHERE,  /* their runners are on another CPU: take the sample there */
    SAMPLE_TORN,       /* something ran while we read */
    SAMPLE_UNREADABLE, /* the interpreter's structures are not what they have to be: see session_failure() */
    SAMPLE_GONE,       /* the process has ended, or may no longer be read */
};

struct session_options {
    enum thread_choice choice;
    enum holding holding; /* HOLD_EACH: C stacks are copied, and Python frames have anchors */
    bool holds_at_once;   /* then: wherever they are, so that all are of one moment, though it takes longer */
    bool with_bare;       /* those of threads without a Python state, too */
    size_t c_stack_limit; /* bytes; of use with HOLD_EACH only */
};

/*
 * Finds the interpreter of a process, which must outlive the session. Errors: those of python_runtime_find() and, when
 * threads are to be held, of stop_try(), ERROR_PERMISSION, ERROR_TARGET_GONE, and ERROR_NOT_READY while an interpreter
 * is only just starting.
 */
struct error *session_open(const struct process *process, const struct session_options *options, struct session **ret);

/* Accepts NULL. */
void session_close(struct session *session);

/* No thread was read yet, and their states are to be looked at anew. Without that, a sample is of no interval. */
void session_begin_interval(struct session *session, const struct look *look);

/*
 * Takes a copy of the interpreters' state and lists the threads. own_cpu: the CPU to which the calling thread is
 * pinned. *ret_cpu becomes the CPU of the first pending thread, if that is known. Whatever is returned, threads may be
 * stopped from then on: session_let_go() has to follow, in the same thread.
 */
enum sample_status session_begin_sample(struct session *session, int own_cpu, int *ret_cpu);

/* The threads of the sample, newest first. */
struct sampled_thread *session_threads(struct session *session, uint32_t *ret_count);

/*
 * How many GILs were held in the last copy, and how many threads slept until they would be given one. Of versions whose
 * GIL cannot be seen only who holds it is known.
 */
void session_count_gils(struct session *session, uint32_t *ret_held, uint32_t *ret_waiting);

/*
 * Whether a thread is read in this round. Where nobody is stopped, a program seldom stands still for as long as it
 * takes to read a stack of tens of thousands of frames: such ones have their turn when the others are proved already.
 */
bool session_is_in_round(const struct sampled_thread *thread, int round);

/* Reads a readable thread's stack, into thread->python. */
enum python_status session_walk(struct session *session, struct sampled_thread *thread);

/*
 * The threads without a Python state, if all C stacks are wanted: of those that run or are ready to, is_active is true.
 * False without memory.
 */
bool session_bare_threads(struct session *session, struct sampled_thread **ret_threads, uint32_t *ret_count);

/* Copies the C stack of one of them; session_let_go() has to follow. */
void session_read_bare(struct session *session, struct sampled_thread *thread);

/*
 * The copy of a thread's C stack that was made for the last sample; NULL when there is none: it did not come to its
 * stop in time, or the stack cannot be read. Valid until the next sample.
 */
const struct c_stack *session_c_stack(const struct session *session, const struct sampled_thread *thread);

/* No copy of any thread counts as handed over any more: see sampled_thread.joined_copy. */
void session_forget_handovers(struct session *session);

/*
 * The proof once more, now that the walks have read what was not predicted: what is readable now is a snapshot. Threads
 * that were stopped run on.
 */
void session_end_sample(struct session *session);

/* Ends what threads pay for being watched, until they are looked at again. */
void session_rest(struct session *session);

/*
 * Lets threads that were stopped run on, if session_end_sample() was not called. Returns false when that is not sure
 * before the calling thread has ended, which it has to do soon.
 */
bool session_let_go(struct session *session);

/* Whether threads that were asked for are not done yet. *ret_cpu as above. */
bool session_is_pending(const struct session *session, int *ret_cpu);

/*
 * Where to wait for the next interval; -1: where we are. A thread that was stopped goes on on another CPU when one is
 * idle, as we are on its own, and stays there.
 */
int session_next_cpu(const struct session *session);

/* How many intervals, up to the current one, are owed to threads that sleep now: see lateness.h. */
uint32_t session_owed_intervals(const struct session *session);

/* Whether a real-time thread that we can stop from elsewhere keeps us off this CPU; only known when blocking. */
bool session_is_kept_off(const struct session *session, int cpu);

/* Threads on this CPU, where we may not run, are not waited for while there are others. */
void session_avoid_cpu(struct session *session, int cpu);

/* Why the last sample was SAMPLE_UNREADABLE. */
enum python_status session_failure(const struct session *session);

struct python *session_python(struct session *session);

/* The copy of the last sample, in which its threads are walked. */
struct memory *session_memory(const struct session *session);

/* Replaces the buffer's content by a thread's name; false when it has none. Reads a good deal of memory. */
bool session_thread_name(struct session *session, const struct sampled_thread *thread, struct buffer *buffer);

/* How many times memory of the process was read so far, for whatever it was. */
uint64_t session_reads(const struct session *session);

/* Whether the process still runs the program that the session was opened for. */
bool session_is_current(const struct session *session);

static inline void cleanup_session_close(struct session **session)
{
    session_close(*session);
}

#define cleanup_session __attribute__((cleanup(cleanup_session_close)))

#endif
