/* SPDX-License-Identifier: MIT */
/*
 * The children that processes make.
 */
#ifndef TARGET_CHILDREN_H
#define TARGET_CHILDREN_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

struct process;

/*
 * The numbers, as procfs has them, of the living children of all threads of a process, and of those that nobody has
 * collected yet, as a malloc'ed array. One that comes or goes meanwhile can hide another. ERROR_NOT_FOUND where the
 * kernel has no such lists.
 *
 * Linux Documentation/filesystems/proc.rst, /proc/PID/task/TID/children: it takes CONFIG_PROC_CHILDREN.
 */
struct error *children_list(const struct process *process, pid_t **ret, uint32_t *ret_count);

/* The number in procfs of the child that a process knows by this number; 0 when there is none. */
pid_t children_find(const struct process *process, pid_t inner);

/*
 * The number that a new process or thread in our pid namespace, or in one below it, was given last; 0 when that is not
 * known. While it stays the same, nobody there has had a child.
 */
pid_t children_last_number(const char *proc);

#endif
