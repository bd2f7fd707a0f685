/* SPDX-License-Identifier: MIT */
/*
 * Threads of ours, and the CPUs that they run on.
 */
#ifndef TARGET_CPU_H
#define TARGET_CPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { CPU_LIMIT = 4096 };

/*
 * Starts a thread that runs on this CPU only, with all signals blocked. False when that CPU may not be used by us, or
 * there is no thread to be had. The caller joins it.
 */
bool cpu_start_thread(int cpu, void *(*run)(void *argument), void *argument, pthread_t *ret);

/*
 * Makes the calling thread's wake-ups prompt: no timer slack, and, where the kernel has it (6.12), a scheduling slice
 * of 0.1 ms, with which a thread that wakes up preempts a running one. Needs no privilege.
 */
void cpu_wake_promptly(void);

/* How often the calling thread was taken off its CPU so far, by its own will or not. */
uint64_t cpu_switch_count(void);

#endif
