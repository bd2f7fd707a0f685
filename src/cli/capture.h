/* SPDX-License-Identifier: MIT */
/*
 * py-spy's --capture: what a program prints goes into a file without a name, and is shown if the program fails.
 */
#ifndef CLI_CAPTURE_H
#define CLI_CAPTURE_H

#include "base/error.h"

#include <signal.h>
#include <sys/types.h>

/* launch_program(), with the program's standard input empty and its output in a new file, *ret_fd. */
struct error *capture_launch(char *const argv[], const sigset_t *signals_for_program, pid_t *ret, int *ret_fd);

/* Prints what the file holds on standard error. */
void capture_show(int fd);

#endif
