/* SPDX-License-Identifier: MIT */
/*
 * The options that say how processes are read, and those of the verbs that sample them, or a program that they start.
 * Tables for argp, to be used as children of a verb's own.
 */
#ifndef CLI_SAMPLING_OPTIONS_H
#define CLI_SAMPLING_OPTIONS_H

#include "base/error.h"
#include "process_options.h"
#include "sampler/recording_options.h"

#include <argp.h>
#include <stdbool.h>

struct command_line;

/* The input of reading_argp. */
struct reading_options {
    struct command_line *line; /* of the verb, where mistakes are noted */
    bool is_blocking, is_nonblocking;
    bool with_native, with_all_native;
};

/* --native, --native-all, --blocking, --nonblocking. */
extern const struct argp reading_argp;
extern const struct argp_option reading_argp_options[];

/* The input of sampling_argp. */
struct sampling_options {
    struct process_options processes; /* the input of process_argp, which is a child of its own */
    char **program;                   /* and its arguments; NULL: none is started */
    struct reading_options reading;
    struct recording_options recording;
};

/* --rate, --gil, --idle, those of reading_argp, and the program with its arguments. */
extern const struct argp sampling_argp;
extern const struct argp_option sampling_argp_options[];

/* What there is before the options are parsed. */
void sampling_options_init(struct sampling_options *options, struct command_line *line, uint64_t table_limit);

/* Checks that there are either processes or a program, and completes them. */
struct error *sampling_options_complete(struct sampling_options *options);

#endif
