/* SPDX-License-Identifier: MIT */
/*
 * Parsers for the texts of /proc that are not maps. They take bytes, so that tests need no process.
 */
#ifndef TARGET_PROC_TEXT_H
#define TARGET_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What we use of /proc/PID/stat and /proc/PID/task/TID/stat, for example
 *
 *     1234 (a (strange) name) R 1 1234 ... 22 more fields ... 140 0 ...
 *
 * The name may hold blanks, parentheses and newlines, so fields are counted from the last ')'.
 */
struct proc_stat {
    char state;           /* R running or runnable, S sleeping, D disk, T stopped, t traced, Z zombie, X dead */
    bool is_ending;       /* it has begun to end, and has perhaps given up its memory and files already (in field 9) */
    bool is_forked;       /* it was made by a fork, and has not called exec since */
    uint64_t start_time;  /* clock ticks after boot (field 22) */
    uint64_t code_start;  /* address; 0 or 1 when we may not know it (field 26) */
    uint64_t stack_start; /* of the main thread: where the kernel put it; likewise (field 28) */
    int32_t cpu;          /* where it last ran (field 39) */
    uint32_t policy;      /* SCHED_OTHER or another class of the scheduler (field 41) */
};

/* Returns false, and leaves *ret alone, when the text is not of that shape. */
bool proc_stat_parse(const char *text, size_t len, struct proc_stat *ret);

/* Whether it has neither ended nor begun to. */
static inline bool proc_stat_lives(const struct proc_stat *stat)
{
    return !stat->is_ending && stat->state != 'Z' && stat->state != 'X';
}

/*
 * The first number of a field of /proc/PID/status, such as "Uid" or "Tgid"; base 10, or 16 for "CapEff". Returns false,
 * and leaves *ret alone, when there is no such field or no number in it.
 */
bool proc_status_number(const char *text, size_t len, const char *field, int base, uint64_t *ret);

/* Linux Documentation/scheduler/sched-stats.rst: time on the CPU, time waiting for one, times it got one. */
struct proc_schedstat {
    uint64_t run_ns, wait_ns, runs;
};

/* Reads the text of a thread's schedstat. Returns false when the kernel does not count. */
bool proc_schedstat_parse(const char *text, struct proc_schedstat *ret);

enum { PROC_SYSCALL_ARGUMENTS = 6 };

/* The system call in which a thread sleeps. */
struct proc_syscall {
    uint64_t number;
    uint64_t arguments[PROC_SYSCALL_ARGUMENTS];
    uint64_t sp, pc; /* stack pointer and program counter with which it was made */
};

/*
 * Reads the text of a thread's syscall file, "202 0x7f0000000000 0x189 ...". Returns false for a thread that runs, or
 * sleeps elsewhere.
 */
bool proc_syscall_parse(const char *text, struct proc_syscall *ret);

/*
 * Reads the text of a thread's sched file: when it had a CPU last, by that CPU's clock. Linux kernel/sched/debug.c:
 * proc_sched_show_task(): "se.exec_start    :    24003862.382624" in milliseconds.
 */
bool proc_sched_stamp(const char *text, int64_t *ret_ns);

/*
 * All decimal numbers of a field of /proc/PID/status, such as "NSpid". Returns how many; 0 when there is no such field,
 * when something else than numbers is in it, or when there are more than `limit`.
 */
uint32_t proc_status_numbers(const char *text, size_t len, const char *field, uint64_t *ret, uint32_t limit);

#endif
