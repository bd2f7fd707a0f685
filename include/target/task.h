/* SPDX-License-Identifier: MIT */
/*
 * One thread of a live process, as the kernel sees it: whether it runs, and where. Its files stay open once they
 * have been asked, so that asking is one pread.
 */
#ifndef TARGET_TASK_H
#define TARGET_TASK_H

#include "base/error.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct departures;
struct proc_syscall;
struct process;
struct registers;

struct task {
    const struct process *process;
    pid_t tid;                     /* as procfs numbers the thread */
    pid_t system_tid;              /* as system calls of ours do; 0: they cannot name it */
    int stat;                      /* -1: not open */
    int schedstat;                 /* -1: not open; see task_read_times() */
    int syscall;                   /* -1: not open; see task_read_activity() */
    struct departures *departures; /* NULL: nobody asked for them */
};

struct task_state {
    bool is_active;  /* running, or ready to run */
    bool is_stopped; /* by a signal (SIGSTOP), or by a debugger */
    bool is_deaf;    /* sleeps so that nothing but what it waits for wakes it (state D): it will not stop */
    bool is_urgent;  /* real-time: it runs before all ordinary threads of its CPU, and for as long as it likes */
    int32_t cpu;     /* where it runs or last ran */
};

/* What the kernel has counted of a thread since it began (CONFIG_SCHED_INFO). */
struct task_times {
    uint64_t run_ns;  /* time on a CPU; of a thread that is running, up to the last time that the kernel looked */
    uint64_t wait_ns; /* time that it waited for one until it got it */
    uint64_t runs;    /* how often it got one: a thread that slept after the first of two readings that agree has slept
                         until the second */
};

#define TASK_NONE ((struct task){.stat = -1, .schedstat = -1, .syscall = -1})

/*
 * Lets us have as many tasks as our limits allow at all: each costs descriptors. A program that we start inherits it.
 */
void task_allow_many(void);

/*
 * Fails with ERROR_TARGET_GONE when the process, which must outlive the task, has no such thread. Where there are no
 * descriptors left, the thread's files are opened anew for each reading.
 */
struct error *task_init(struct task *task, const struct process *process, pid_t tid);

/* Accepts a task that was only set to TASK_NONE. */
void task_deinit(struct task *task);

/* Returns false when the thread has ended. Of TASK_NONE nothing is known, and so no more than that. Allocates nothing.
 */
bool task_read_state(const struct task *task, struct task_state *ret);

enum task_activity {
    TASK_RUNS, /* or is ready to */
    TASK_SLEEPS,
    TASK_UNKNOWN, /* ask for its state: it may have ended */
};

/*
 * Whether a thread runs: a part of its state, which takes a third of the time when it does, and two thirds when it does
 * not. *ret_futex: at which it sleeps, 0 when at none. Keeps one more file open from its first use on.
 */
enum task_activity task_read_activity(struct task *task, remote_addr *ret_futex);

/*
 * The system call in which a thread sleeps, or the address of the futex at which it does. False when it does not, or
 * that may not be known. Opens a file, if task_read_activity() has not.
 */
bool task_read_syscall(const struct task *task, struct proc_syscall *ret);
bool task_read_futex(const struct task *task, remote_addr *ret);

/* Keeps one more file open from its first use on. False when the kernel does not count, or the thread has ended. */
bool task_read_times(struct task *task, struct task_times *ret);

/*
 * Whether the kernel has written down with which registers a thread last left its CPU. It begins to at the first call,
 * which returns false, and does not where we may not ask for it or it would cost the thread too much; see departures.h.
 */
bool task_has_departure(struct task *task);

/*
 * Those registers. False, too, when they are not enough. memory: the thread's. Only meant for a thread that is kept off
 * its CPU.
 */
bool task_read_departure(const struct task *task, struct memory *memory, struct registers *ret);

/*
 * Has the kernel write down when the thread leaves its CPU, but no registers, as far as above: enough for
 * task_is_told_busy(). To be called after each look that may have made it leave. Returns whether it began to, if it
 * may, or tried: that takes 0.1 ms. Not with task_has_departure().
 */
bool task_note_departures(struct task *task, bool may_begin);

/* Ends that, until it is begun anew. */
void task_rest_departures(const struct task *task);

/* To be called in each interval, whatever became of the thread in it. */
void task_watch_departures(const struct task *task);

/* Whether they tell that the thread was running or ready to from the last but one such call until now. */
bool task_is_told_busy(const struct task *task);

/* Ends what task_has_departure() or task_note_departures() began. */
void task_forget_departures(struct task *task);

#endif
