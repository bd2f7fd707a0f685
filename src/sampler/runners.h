/* SPDX-License-Identifier: MIT */
/*
 * Who can change the stacks of a sample, and the proof that he did not.
 *
 * A runner is a thread that may run Python code although nobody else gave it leave: with a GIL, the thread that last
 * took it; without one, each thread, for its own stack. While we run on the CPU on which a runner last ran, it does not
 * run. So what was read of the threads that it stands for is a snapshot when the GIL's words and the runner's CPU
 * number read the same before and after, that number is our own CPU's, and we were not taken off it meanwhile. The same
 * holds, wherever we are, when the kernel counts that a runner who slept was given no CPU meanwhile; and, if that is
 * asked for, when we have stopped the runner's thread with ptrace. Where C stacks are wanted, each thread is
 * the runner of its own stack, be it kept off its CPU or stopped: then nobody else changes anything in it, whoever has
 * the GIL. If all have to be of
 * one moment, the GILs have their runners then, too: values that threads share are changed by whoever has the GIL.
 *
 *     runners_plan(runners, ...);             whom to guard against, as far as the last copy tells
 *     runners_spare_kept_off(runners, ...);   only where C stacks are wanted,
 *     runners_stop(runners, ...);             or threads held, and before anything is planned anew:
 *     runners_order_c_stacks(runners, ...);
 *     snapshot_set_guards(); snapshot_take();
 *     runners_note_cpus(runners, ...);        where they are
 *     runners_match(runners, ...);            whether the copy has the same runners
 *     runners_is_proved(runners, ...);        for each thread
 *     runners_let_go(runners);
 */
#ifndef SAMPLER_RUNNERS_H
#define SAMPLER_RUNNERS_H

#include "memory/snapshot.h"
#include "target/cpu.h"
#include "target/stop.h"
#include "target/thread_area.h"
#include "thread_list.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RUNNER_LIMIT = SNAPSHOT_GUARD_LIMIT / 2, /* each has at most two guards; who is beyond has to wait for his turn */
    RUNNER_NONE = UINT32_MAX,
};

/* Which threads a sample is about. */
enum thread_choice {
    THREADS_ACTIVE, /* those that run or are ready to run */
    THREADS_ALL,
    THREADS_WITH_GIL,
};

/* Which threads are stopped for each copy. */
enum holding {
    HOLD_NONE,
    HOLD_RUNNING, /* runners that run or are ready to: for the proof */
    HOLD_EACH,    /* each thread that is asked for, for its C stack, too */
};

struct runner {
    remote_addr gil;               /* the words of the GIL; 0: the thread needs none */
    remote_addr thread;            /* its thread state; 0: there is none that could run */
    uint32_t serial;               /* of that thread; 0: none */
    uint32_t gil_guard, cpu_guard; /* numbers of the snapshot's guards; RUNNER_NONE */
    int32_t cpu;                   /* where it was when the copy began; -1: nobody knows */
    bool has_ended;                /* the thread, which cannot run any more */
    bool is_for_anybody;           /* other threads may run in its place */
    bool is_matched;               /* the copy has the same runner */
    bool is_asleep;                /* it slept after `runs` was read */
    bool is_to_stop;               /* it is to be held */
    bool is_urgent;                /* then: it keeps us off its CPU when it runs */
    bool knows_cpu;                /* of a thread with a C stack: its own memory said where it is */
    bool is_kept_off;              /* it is not to be held, as it is off its CPU, with registers that are known */
    bool has_left;                 /* then: it was on its CPU again before its C stack could be copied */
    uint32_t stop;                 /* number of its stop; RUNNER_NONE */
    uint64_t runs;                 /* how often it had been given a CPU */
};

struct runners {
    const struct thread_area *area;
    enum thread_choice choice;
    enum holding holding;
    bool with_gils;            /* they have runners */
    struct c_stacks *c_stacks; /* HOLD_EACH: where the C stacks are copied to */
    struct runner runners[RUNNER_LIMIT];
    uint32_t count;
    struct stop stops[RUNNER_LIMIT]; /* one for each thread of the kernel */
    uint32_t stop_count;
    struct snapshot_guard guards[SNAPSHOT_GUARD_LIMIT];
    uint32_t guard_count;
};

/* Whether a thread of the current list is one of those, and was not read in this interval yet. */
bool is_thread_pending(const struct sampled_thread *thread, enum thread_choice choice);

/*
 * What is pointed to must outlive the runners. of_one_moment and c_stacks: of use with HOLD_EACH only; without it, what
 * has one GIL always is.
 */
void runners_init(struct runners *runners, const struct thread_area *area, enum thread_choice choice,
                  enum holding holding, bool of_one_moment, struct c_stacks *c_stacks);

/* Plans for nobody. Nobody may be stopped. */
void runners_clear(struct runners *runners);

/*
 * Plans for the threads and GILs of the last copy: the GILs, and pending threads that need none; all pending threads,
 * where each is held, and then the GILs only if all have to be of one moment.
 */
void runners_plan(struct runners *runners, const struct thread_list *threads, const struct python *python);

/*
 * Takes from those to be stopped who is kept off own_cpu, where we run, and whose registers the kernel has written down
 * as he left it: no more is needed for a copy of his C stack.
 */
void runners_spare_kept_off(struct runners *runners, const struct thread_list *threads, int own_cpu);

/*
 * Stops the threads of planned runners that are to be, as far as that is possible. One that sleeps is left in peace
 * when its C stack is not wanted, or known, as the kernel's counts are enough for it: to wake it up would end its
 * system call.
 */
void runners_stop(struct runners *runners, const struct thread_list *threads);

/*
 * Orders copies of the C stacks of those who are stopped, and of those who are kept off their CPU: to be proved like
 * the rest.
 */
void runners_order_c_stacks(struct runners *runners, const struct thread_list *threads);

/* Lets all of them run on, if any are stopped. False: the calling thread has to end for that, as stop_end() tells. */
bool runners_let_go(struct runners *runners);

/* Notes the runners' CPUs as the copy, or else the kernel, tells them. */
void runners_note_cpus(struct runners *runners, struct thread_list *threads, const struct snapshot *snapshot);

/*
 * Compares with the copy's own threads and GILs, and says of each thread who its runner is. Returns false when the plan
 * was wrong, so that another copy may do better.
 */
bool runners_match(struct runners *runners, const struct thread_list *threads, const struct python *python);

/* Whether what was read of this runner's threads until now is proved. own_cpu: where we are pinned. */
bool runners_is_proved(const struct runners *runners, uint32_t runner, const struct thread_list *threads,
                       const struct snapshot *snapshot, const struct cpu_watch *watch, int own_cpu);

#endif
