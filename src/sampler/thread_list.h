/* SPDX-License-Identifier: MIT */
/*
 * The threads of a session: which kernel thread runs which thread state. Kept from sample to sample, so that a thread
 * is looked up in the kernel once.
 */
#ifndef SAMPLER_THREAD_LIST_H
#define SAMPLER_THREAD_LIST_H

#include "python/walk.h"
#include "target/task.h"
#include "target/thread_ids.h"

#include <stdbool.h>
#include <stdint.h>

struct memory;
struct process;
struct thread_area;

/* What became of a thread from one reading of its times to the next. */
struct thread_growth {
    bool has_run; /* or nobody knows */
    uint64_t run_ns;
    uint64_t wait_ns;  /* for a CPU that it got; it may have begun to wait before */
    uint64_t runs;     /* how often it was given a CPU */
    uint64_t gap_ns;   /* all the time; 0 when it is not known, */
    uint64_t slept_ns; /* and for how much of it we slept, */
    uint32_t looks;    /* each time until a look */
};

/* A thread state, joined with the kernel's thread that runs it. */
struct sampled_thread {
    /* What each look touches of each thread: there may be thousands, that sleep. */
    struct python_thread *python; /* of the current sample */
    remote_addr address;          /* of its state; 0: it has none, see bare_threads.h */
    uint64_t followed_until_ns;   /* until when it is looked at in each interval */
    uint32_t runner;              /* whose proof covers it; see runners.h */
    uint32_t gil_runner;          /* whose proof covers its values; RUNNER_NONE: the same one's */
    uint32_t walked;              /* frames that the last walk of its stack had */
    uint32_t turns;       /* the look at it in this interval stands for so many, in most of which it was not its turn */
    uint32_t weight;      /* intervals that its stack counts for, when it is counted in the current one */
    uint32_t owed_before; /* intervals in which it ran unseen: those that are to count for its last running stack, */
    uint32_t owed_now;    /* and how many intervals that are owed were added at the last look, at which it slept */
    uint32_t owed_asleep; /* intervals that are to count for its last sleeping stack */
    bool was_seen : 1;    /* its state was read before, in this interval or another */
    bool has_state : 1;   /* its state is known for the current interval */
    bool has_run : 1;     /* it ran at some time between the last two looks at it */
    bool has_ended : 1;   /* the kernel has no such thread any more: nobody runs it */
    bool is_active : 1;   /* was running or ready to run when its state was read last */
    bool is_open : 1; /* its state, in this interval: it waited for the GIL, and who had that since, the copy will tell
                       */
    bool is_readable : 1;   /* what the current sample says of it is proved */
    bool is_done : 1;       /* it was read in the current interval, */
    bool is_counted : 1;    /* and it had a stack that counts */
    bool fell_asleep : 1;   /* since it was found active in this interval */
    bool was_asleep : 1;    /* at the deadline, though it has run since */
    bool is_at_gil : 1;     /* sleeps where one waits for the GIL; of one just looked at, where one may */
    bool waits_for_gil : 1; /* sleeps until it is given the GIL, as far as that is known */
    bool is_noted : 1;      /* its departures are, as far as the kernel does that */
    uint8_t active_looks;   /* at which it was active, up to the last one, but not more than matters */
    uint8_t round;          /* of the current sample in which it is read: see session_is_in_round() */

    uint64_t id, native_id;
    pid_t inner;                 /* the number by which it knows itself; 0 when it cannot be found out */
    struct task task;            /* TASK_NONE when the kernel's thread is not known */
    uint32_t serial;             /* grows with each thread that is met; never means two */
    uint64_t run_ns;             /* CPU time that it had had by then, 0 while that was not wanted; */
    uint64_t wait_ns;            /* time that it had waited for a CPU until it got it; */
    uint64_t runs;               /* how often it had got one; */
    uint64_t times_ns;           /* and when that was, */
    uint64_t over_slept_ns;      /* for how long we slept before looks since then at which they were not read, */
    uint32_t over_looks;         /* and how many those were */
    struct thread_growth growth; /* of these until the first look in this interval */
    bool is_stopped;             /* by a signal or a debugger, when all of its state was read last */
    uint64_t gil_switches;       /* the GIL's count of them when it was seen to wait for it, */
    uint64_t asked_ns;           /* and when it was asked last */
    remote_addr futex;           /* at which it slept when it was asked whether it runs; 0: at none */
    bool was_kept_off;           /* its C stack was copied last while it was off its CPU, without a stop: */
    int32_t last_cpu;            /* then on which it was */
    bool is_urgent;              /* has a real-time policy, as of policy_ns; only known where threads are held */
    uint64_t policy_ns;          /* 0: never */
    uint32_t last_node;          /* of the profile: its last stack that was counted while it ran; 0: none yet */
    uint64_t joined_copy;        /* which copy of its C stack was handed over last; 0: none, see c_stack.made */
    uint64_t joined_frames;      /* and a hash of the Python frames that it was handed over with */
    uint32_t last_states;        /* enum sample_state: what it did then */
    uint32_t last_idle_node;     /* its last stack that was counted while it slept; 0: none yet, */
    uint32_t last_idle_states;   /* and what it waited for then */
    uint32_t owed;               /* intervals in which it ran unseen that are to count for its next running stack */
};

struct thread_list {
    struct sampled_thread *threads; /* in the order of the sample */
    uint32_t count, capacity;
    struct sampled_thread *previous; /* of the sample before; only during an update */
    uint32_t previous_capacity;
    uint32_t last_serial;
    struct thread_ids ids; /* only where the program runs in a pid namespace of its own */
};

void thread_list_deinit(struct thread_list *list);

/*
 * Makes the list that of the current sample. To 3.10 the interpreter does not know the kernel's thread numbers: they
 * are read from the thread's libc area. A thread that the kernel does not have is listed with what is known of it.
 * Returns false without memory.
 */
bool thread_list_update(struct thread_list *list, const struct process *process, struct memory *memory,
                        const struct thread_area *area, struct python *python);

/* The thread with this thread state; NULL when there is none. */
struct sampled_thread *thread_list_find(const struct thread_list *list, remote_addr address);

/* How many threads of the list the kernel does not have any more, as far as that was noticed. */
uint32_t thread_list_count_ended(const struct thread_list *list);

#endif
