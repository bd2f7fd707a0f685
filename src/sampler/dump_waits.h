/* SPDX-License-Identifier: MIT */
/*
 * What the threads of a dump wait for. It is read of each sleeping thread right behind its stack, and only used when
 * the thread has slept since before that was copied. Names that take long to look up come at the end.
 */
#ifndef SAMPLER_DUMP_WAITS_H
#define SAMPLER_DUMP_WAITS_H

#include <stdint.h>

struct dump_thread;
struct memory;
struct process;
struct process_dump;
struct sampled_thread;
struct session;

/* A thread that waits for a time of which it is not known when it began. */
struct dump_sleeper;

struct dump_waits {
    const struct process *process;
    struct memory *memory; /* NULL: it may not be read */
    struct dump_sleeper *sleepers;
    uint32_t sleeper_count, sleeper_capacity;
};

/* The process must outlive it. */
void dump_waits_init(struct dump_waits *waits, const struct process *process);
void dump_waits_deinit(struct dump_waits *waits);

/* Fills in what a thread waits for, as far as it is known. It was walked in the session's current sample. */
void dump_waits_read(struct dump_waits *waits, struct session *session, struct sampled_thread *thread,
                     struct dump_thread *ret);

/* Says of all threads which sockets and children they wait for, and how much longer. They stand in any order. */
void dump_waits_finish(struct dump_waits *waits, struct process_dump *dump);

#define cleanup_dump_waits __attribute__((cleanup(dump_waits_deinit)))

#endif
