/* SPDX-License-Identifier: MIT */
/*
 * Why the kernel does not let us read a process: which of its rules applies, and the least thing that helps.
 */
#ifndef TARGET_DENIAL_H
#define TARGET_DENIAL_H

#include "base/error.h"

struct process;

/*
 * Takes over an ERROR_PERMISSION and returns one that names the rule: another user's process, Yama's ptrace_scope with
 * its value, a process that forbids reading, or a missing capability. Other errors are returned as they are.
 */
struct error *denial_explain(struct error *error, const struct process *process);

#endif
