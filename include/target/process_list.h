/* SPDX-License-Identifier: MIT */
/*
 * Which processes there are.
 */
#ifndef TARGET_PROCESS_LIST_H
#define TARGET_PROCESS_LIST_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process;

/* The numbers of all processes, ascending, as a malloc'ed array. proc is where procfs is mounted; NULL means /proc. */
struct error *process_list(const char *proc, pid_t **ret, uint32_t *ret_count);

/* What a list of processes says of one. */
struct process_summary {
    pid_t parent; /* 0: none that is seen from here */
    uint32_t user;
    uint32_t thread_count;
    char state; /* as in struct proc_stat: R if any thread runs or is ready to, else the main thread's */
};

/* False when the process has ended. */
bool process_summarize(const struct process *process, struct process_summary *ret);

#endif
