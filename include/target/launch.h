/* SPDX-License-Identifier: MIT */
/*
 * Starting a program as our child, with our own standard streams, terminal and environment.
 */
#ifndef TARGET_LAUNCH_H
#define TARGET_LAUNCH_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts argv[0] (looked for on PATH) with signals unblocked. Returns only when the program runs, or has failed to:
 * ERROR_NOT_FOUND when there is no such program, ERROR_PERMISSION when it is not executable.
 */
struct error *launch_program(char *const argv[], pid_t *ret);

/*
 * Collects a child. Returns false while it runs, unless told to wait. *ret is its exit status as a shell would say it:
 * 128 + the signal that ended it.
 */
bool launch_collect(pid_t pid, bool wait, int *ret);

#endif
