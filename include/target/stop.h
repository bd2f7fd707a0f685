/* SPDX-License-Identifier: MIT */
/*
 * Stopping one thread of another process for a moment, with ptrace, so that it runs no code of its own meanwhile.
 *
 *     stop_begin(&stops[i], task)             each thread
 *     stop_wait(stops, count);                at most STOP_WAIT_NS in all
 *     if (stop_holds(&stops[i])) ...          read what it could have changed
 *     if (!stop_end(&stops[i])) ...           the calling thread has to end
 *
 * The kernel ties a stopped thread to the one thread of ours that stopped it: all of this has to be called by the same.
 * Nothing of it outlives one sample, as a thread that is held stops at every signal that it gets, until its holder
 * deals with that: so it is seized and let go for each sample, which costs about 1 us more than to seize it for good.
 *
 * Whatever happens to us, the program runs on: when a thread of ours ends, be it by kill -9, the kernel lets go of all
 * that it held (Linux kernel/ptrace.c: exit_ptrace(), and __ptrace_unlink() takes back a stop that was only asked for).
 * A signal for which the thread has just been stopped is still delivered then, since the kernel keeps it in the thread
 * (exit_code) until somebody takes the notice of the stop, which is only ever looked at here (WNOWAIT).
 *
 * When we are stopped ourselves (SIGSTOP) with threads in our hands, somebody makes us go on: see target/guard.h.
 *
 * What the program can notice: a system call that it is about to sleep in can return early, as from a signal without a
 * handler; signal(7) lists those few that then fail with EINTR instead of being restarted by the kernel.
 */
#ifndef TARGET_STOP_H
#define TARGET_STOP_H

#include "base/error.h"
#include "memory/registers.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process;
struct task;

enum { STOP_WAIT_NS = 5000000 };

enum stop_state {
    STOP_NONE,    /* nothing is held */
    STOP_ASKED,   /* the thread is to stop, and has not yet */
    STOP_REACHED, /* it is stopped */
    STOP_OVERDUE, /* it has not stopped in all of the time that stop_wait() had */
    STOP_BROKEN,  /* it has ended, or changed its number by an exec */
};

/* One thread that is held. A zeroed one holds none. */
struct stop {
    pid_t tid; /* as system calls know it */
    enum stop_state state;
    int signal; /* that it was just being given; 0: none */
};

/*
 * Whether the threads of a process can be stopped by us at all, found out without stopping any. Errors: ERROR_BUSY when
 * somebody else traces it, ERROR_PERMISSION, ERROR_TARGET_GONE, ERROR_OS.
 */
struct error *stop_try(const struct process *process);

/* Whether ptrace is at our disposal at all: a seccomp filter may refuse it, whatever process it is about. */
bool stop_is_possible(void);

/*
 * Asks a thread, which should be running or ready to run, to stop. False when that cannot be: it has ended, or somebody
 * else traces it; then nothing is held.
 */
bool stop_begin(struct stop *stop, const struct task *task);

/*
 * Waits until all those that were asked to are stopped, but not longer than STOP_WAIT_NS. Gives up the CPU: who holds
 * the thread up by running on its CPU lets it go on to its stop. Stops of state STOP_NONE are passed over.
 */
void stop_wait(struct stop *stops, uint32_t count);

/*
 * Whether the thread runs no code of its own until stop_end(). It need not have stopped for that. One that has not in
 * STOP_WAIT_NS is in a long system call, or waits for a CPU: the kernel looks whether it is to stop before each return
 * to the thread's own code (Linux kernel/entry/common.c: exit_to_user_mode_loop()).
 */
bool stop_holds(const struct stop *stop);

/*
 * The registers of a thread that has stopped. False when it has not, though stop_holds() may say that it runs no code:
 * who waits for a CPU keeps them to himself.
 */
bool stop_read_registers(const struct stop *stop, struct registers *ret);

/*
 * Lets the thread go, and gives it the signal that it was stopped for, if any; one that was stopped by SIGSTOP stays
 * so. Returns false when it cannot be known to be gone from us: it is still on its way to the stop, or has ended or
 * run exec since. Then the calling thread has to end soon, which makes the kernel let go.
 */
bool stop_end(struct stop *stop);

#endif
