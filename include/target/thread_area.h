/* SPDX-License-Identifier: MIT */
/*
 * What glibc keeps at a thread's pthread_t: the kernel's number of the thread, and the restartable-sequence area in
 * which the kernel writes the CPU that the thread runs on.
 */
#ifndef TARGET_THREAD_AREA_H
#define TARGET_THREAD_AREA_H

#include "memory/maps.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct process;

struct thread_area {
    int64_t tid_offset;    /* of the int that holds the thread's number, from its pthread_t */
    int64_t cpu_id_offset; /* of the int that holds the CPU's number, from its pthread_t */
    bool has_cpu_id;       /* false: no rseq (musl, glibc before 2.35, switched off by a tunable) */
};

/* Never fails: what the target's libc does not say has its default. */
void thread_area_find(const struct process *process, const struct maps *maps, struct memory *memory,
                      struct thread_area *ret);

#endif
