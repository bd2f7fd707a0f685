/* SPDX-License-Identifier: MIT */
/*
 * The several numbers of one process or thread: one in each pid namespace that it can be seen in.
 *
 * NSpid in a status file lists them, from the namespace that procfs was mounted for (the number that is the folder's
 * name) inwards to the thread's own (the one that gettid() tells it). Linux fs/proc/array.c: task_state().
 */
#ifndef TARGET_PID_NAMESPACE_H
#define TARGET_PID_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Linux include/linux/pid_namespace.h: MAX_PID_NS_LEVEL is 32, beneath the first namespace. */
enum { PID_NAMESPACE_LIMIT = 33 };

struct pid_numbers {
    pid_t numbers[PID_NAMESPACE_LIMIT]; /* outermost first */
    uint32_t count;                     /* 0: not known */
};

/*
 * Reads a status file; false when there is none. A kernel without pid namespaces lists nothing: then `plain` is the
 * only number.
 */
bool pid_numbers_read(int folder, const char *name, pid_t plain, struct pid_numbers *ret);

/*
 * At which place of such lists our own namespace stands, from 1: 1 when procfs is that of our own namespace, more when
 * it is that of an outer one. 0 when it is of another one, or is no procfs: then none of the numbers is for us to use.
 */
uint32_t pid_namespace_own_place(const char *proc);

/*
 * The number by which system calls of ours know the thread whose folder this is; 0 when they do not. plain is as above:
 * where nothing is listed, that of the process will do.
 */
pid_t pid_namespace_own_number(int folder, pid_t plain, uint32_t own_place);

/* The number that procfs has for what a pidfd of ours stands for; 0 when it has none. */
pid_t pid_namespace_shown_number(const char *proc, int pidfd);

#endif
