/* SPDX-License-Identifier: MIT */
/*
 * One Python process that is being read: its interpreter, its threads, and the taking of samples of which it can be
 * proved that they are snapshots.
 *
 * A CPU runs one thread at a time. The thread that last held the GIL (the runner) is the only one that can change a
 * Python stack without changing the GIL's words first. While we run on the CPU on which the runner last ran, it does
 * not run. So a copy is a snapshot when the GIL's words and the runner's CPU number read the same before and after,
 * that number is our own CPU's, and we were not taken off it meanwhile.
 */
#ifndef SAMPLER_SESSION_H
#define SAMPLER_SESSION_H

#include "base/error.h"
#include "python/walk.h"
#include "target/process.h"
#include "thread_list.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

enum sample_status {
    SAMPLE_PROVED,     /* the copy is a snapshot; threads can be walked */
    SAMPLE_ELSEWHERE,  /* the runner is on another CPU: take the sample there */
    SAMPLE_TORN,       /* something ran while we read */
    SAMPLE_UNREADABLE, /* the interpreter's structures are not what they have to be: see session_failure() */
    SAMPLE_GONE,       /* the process has ended, or may no longer be read */
};

/*
 * Finds the interpreter of a process, which must outlive the session. Errors: those of python_runtime_find(),
 * ERROR_PERMISSION, ERROR_TARGET_GONE, and ERROR_NOT_READY while an interpreter is only just starting.
 */
struct error *session_open(const struct process *process, struct session **ret);

/* Accepts NULL. */
void session_close(struct session *session);

/*
 * Takes a copy of the interpreter's state and lists the threads. own_cpu: the CPU to which the calling thread is
 * pinned. *ret_cpu is set with SAMPLE_ELSEWHERE. The threads' states are read too.
 */
enum sample_status session_begin_sample(struct session *session, int own_cpu, int *ret_cpu);

/* The threads of the sample, newest first. */
struct sampled_thread *session_threads(struct session *session, uint32_t *ret_count);

/* Reads a thread's stack, into thread->python. */
enum python_status session_walk(struct session *session, struct sampled_thread *thread);

/* The proof once more, now that the walks have read what was not predicted. True: everything read is a snapshot. */
bool session_end_sample(struct session *session);

/* Why the last sample was SAMPLE_UNREADABLE. */
enum python_status session_failure(const struct session *session);

struct python *session_python(struct session *session);

/* Replaces the buffer's content by a thread's name; false when it has none. Reads a good deal of memory. */
bool session_thread_name(struct session *session, const struct sampled_thread *thread, struct buffer *buffer);

/* Whether the process still runs the program that the session was opened for. */
bool session_is_current(const struct session *session);

static inline void cleanup_session_close(struct session **session)
{
    session_close(*session);
}

#define cleanup_session __attribute__((cleanup(cleanup_session_close)))

#endif
