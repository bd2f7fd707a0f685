/* SPDX-License-Identifier: MIT */
/*
 * From the numbers by which a process knows its threads to those by which procfs does.
 *
 * gettid(), and with it Python and libc, tells a thread its number in its own pid namespace. Seen from outside of a
 * container the thread has another one. Without such a namespace both are the same, and nothing is read here.
 *
 *     thread_ids_begin(&ids);
 *     thread_ids_find(&ids, process, 7);       as often as wanted
 */
#ifndef TARGET_THREAD_IDS_H
#define TARGET_THREAD_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process;

struct thread_id {
    pid_t tid;   /* as procfs numbers the thread */
    pid_t inner; /* as the thread itself does */
};

/* A zeroed struct is valid and empty. */
struct thread_ids {
    struct thread_id *ids; /* by tid */
    uint32_t count, capacity;
    bool is_fresh; /* was read since thread_ids_begin() */
};

void thread_ids_deinit(struct thread_ids *ids);

/*
 * From here on the process's threads are listed once more, when one is asked for that is not known yet. Of a thread
 * that was listed before only the number is looked at.
 */
void thread_ids_begin(struct thread_ids *ids);

/* The number in procfs of the thread that knows itself as `inner`; 0 when there is none. */
pid_t thread_ids_find(struct thread_ids *ids, const struct process *process, pid_t inner);

#endif
