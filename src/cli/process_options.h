/* SPDX-License-Identifier: MIT */
/*
 * The options that say which processes a verb is about. A table for argp, to be used as a child of a verb's own.
 */
#ifndef CLI_PROCESS_OPTIONS_H
#define CLI_PROCESS_OPTIONS_H

#include "base/error.h"

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct command_line;

enum { PROCESS_LIMIT = 1024 }; /* processes that are named */

/* The input of process_argp. */
struct process_options {
    struct command_line *line; /* of the verb, where mistakes are noted */
    pid_t pids[PROCESS_LIMIT]; /* each of them once */
    uint32_t pid_count;
    const char *name; /* an expression for the command line of one more; NULL: not given, or found */
    bool with_children;
};

/* --pid, --name, --subprocesses. */
extern const struct argp process_argp;
extern const struct argp_option process_argp_options[];

/* Whether any process was named, in whatever way. */
bool process_options_are_given(const struct process_options *options);

/* Finds the process that --name means, if that was given. */
struct error *process_options_find_named(struct process_options *options);

#endif
