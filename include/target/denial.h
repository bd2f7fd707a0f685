/* SPDX-License-Identifier: MIT */
/*
 * Why the kernel does not let us read a process: which of its rules applies, and the least thing that helps.
 */
#ifndef TARGET_DENIAL_H
#define TARGET_DENIAL_H

#include "base/error.h"

#include <sys/types.h>

struct process;
struct standing;

/*
 * Takes over an ERROR_PERMISSION and returns one that names the rule, with the facts that it was applied to. Other
 * errors are returned as they are, and so is one about a process that may be read: then it is about something else.
 */
struct error *denial_explain(struct error *error, const struct process *process);

/* The same of facts that were read before. Never NULL. */
struct error *denial_describe(const struct standing *standing, pid_t pid);

/* The same in a few words, for a list of processes. */
const char *denial_words(const struct process *process);

#endif
