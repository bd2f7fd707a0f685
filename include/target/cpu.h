/* SPDX-License-Identifier: MIT */
/*
 * Threads of ours, and the CPUs that they run on.
 */
#ifndef TARGET_CPU_H
#define TARGET_CPU_H

#include "base/error.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CPU_LIMIT = 4096 };

/*
 * Blocks the signals that a thread which is to get none inherits from the calling one: all but those of a fault of its
 * own, which the kernel would not let anybody handle otherwise.
 */
void cpu_block_signals(sigset_t *ret_before);

/*
 * Starts a thread that runs on this CPU only, with all signals blocked. False when that CPU may not be used by us, or
 * there is no thread to be had. The caller joins it.
 */
bool cpu_start_thread(int cpu, void *(*run)(void *argument), void *argument, pthread_t *ret);

/* Starts a thread for long work, on any CPU, with all signals blocked and a stack of its own size. The caller joins it.
 */
struct error *cpu_start_worker(void *(*run)(void *argument), void *argument, pthread_t *ret);

/* Whether the kernel lets us say on which CPUs our threads run at all; a seccomp filter may forbid it. */
bool cpu_may_be_chosen(void);

/*
 * Makes the calling thread's wake-ups prompt: no timer slack, and, where the kernel has it (6.12), a scheduling slice
 * of 0.1 ms, with which a thread that wakes up preempts a running one. Needs no privilege.
 */
void cpu_wake_promptly(void);

/*
 * Lets a thread of ours that wakes up promptly (0: the calling one) run before all ordinary threads of its CPU, or no
 * longer. Threads that it starts do not. False when we may not (CAP_SYS_NICE, or RLIMIT_RTPRIO; some containers allow
 * nobody).
 */
bool cpu_take_precedence(pid_t tid, bool is_wanted);

/* What the machine lets us do on its CPUs. */
struct cpu_survey {
    uint32_t present;      /* CPUs that are switched on */
    uint32_t allowed;      /* those of them on which we may run, */
    uint32_t pinned;       /* and on which a thread of ours did run when it was bound to it */
    bool has_short_slices; /* see cpu_wake_promptly() */
    bool has_precedence;   /* see cpu_take_precedence() */
    bool has_number;       /* the kernel keeps the CPU's number in the memory of each thread (rseq) of ours */
};

/* Tries it with threads of our own, one on each CPU. */
void cpu_survey(struct cpu_survey *ret);

/* On how many CPUs a thread may run and we may not; -1 when that is not known. tid: as system calls of ours know it. */
int cpu_count_barred(pid_t tid);

/* A stretch of time in which the calling thread wants to know whether it was taken off its CPU. */
struct cpu_watch {
    uint64_t switches; /* context switches at its begin; only where the kernel does not do better */
};

void cpu_watch_begin(struct cpu_watch *watch);

/* Whether the calling thread has had its CPU without a break since cpu_watch_begin(). A watch need not be ended. */
bool cpu_watch_is_undisturbed(const struct cpu_watch *watch);

#endif
