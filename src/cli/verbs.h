/* SPDX-License-Identifier: MIT */
/*
 * The verbs of the command line. Each takes its own arguments (argv[0] is the verb) and returns the exit status.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

enum exit_status {
    STATUS_SUCCESS = 0,
    STATUS_FAILURE = 1,
    STATUS_USAGE = 2,
    /* With a program that was started, or was to be: what a shell and env(1) use, so that no program's own status can
     * be mistaken for ours. */
    STATUS_WRAPPER_FAILURE = 125,
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NO_SUCH_PROGRAM = 127,
};

struct error;

int verb_record(int argc, char **argv);
int verb_top(int argc, char **argv);
int verb_report(int argc, char **argv);
int verb_diff(int argc, char **argv);
int verb_merge(int argc, char **argv);
int verb_dump(int argc, char **argv);
int verb_doctor(int argc, char **argv);

/* Prints an error for a person and destroys it. Returns STATUS_USAGE for mistakes of usage, else STATUS_FAILURE. */
int report_error(struct error *error);

#endif
