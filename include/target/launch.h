/* SPDX-License-Identifier: MIT */
/*
 * Starting a program as our child, with our own standard streams, terminal and environment.
 */
#ifndef TARGET_LAUNCH_H
#define TARGET_LAUNCH_H

#include "base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Makes us fit to be a wrapper: a child's end, but no stop, is noticed although our parent ignores such signals, and
 * writing into a broken pipe or beyond a limit of size fails instead of ending us. *ret_for_program are the signals
 * that the program gets back as they were.
 */
void launch_prepare(sigset_t *ret_for_program);

/*
 * Starts argv[0] (looked for on PATH) with signals unblocked. Returns only when the program runs, or has failed to:
 * ERROR_NOT_FOUND when there is no such program, ERROR_PERMISSION when it is not executable.
 */
struct error *launch_program(char *const argv[], const sigset_t *signals_for_program, pid_t *ret);

/*
 * Collects a child. Returns false while it runs. *ret is its exit status as a shell would say it:
 * 128 + the signal that ended it.
 */
bool launch_collect(pid_t pid, int *ret);

/* Kills a child, and collects it. */
void launch_end(pid_t pid);

#endif
