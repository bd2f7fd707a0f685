/* SPDX-License-Identifier: MIT */
/*
 * The threads of a process that Python knows nothing of, such as those of a library that computes in parallel. They
 * have a C stack only, and nobody looks at them unless told to.
 */
#ifndef SAMPLER_BARE_THREADS_H
#define SAMPLER_BARE_THREADS_H

#include "c_stacks.h"
#include "thread_list.h"

#include <stdbool.h>
#include <stdint.h>

struct process;

/* A zeroed struct is valid and empty. */
struct bare_threads {
    struct thread_list list;
    uint64_t next_list_ns; /* when they are listed again */
};

void bare_threads_deinit(struct bare_threads *bare);

/*
 * Makes known which threads there are besides those of a list, now and then, and which of them run or are ready to. New
 * ones get serials of that list. False without memory.
 */
bool bare_threads_look(struct bare_threads *bare, const struct process *process, struct thread_list *known);

/*
 * Copies a thread's C stack, for which it is stopped, unless it sleeps on. Returns false when the calling thread has to
 * end, as stop_end() tells.
 */
bool bare_threads_copy(struct sampled_thread *thread, struct c_stacks *c_stacks);

#endif
