/* SPDX-License-Identifier: MIT */
/*
 * What the verbs share that sample a process, or a program that they start: its name, and why it cannot be sampled.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "base/error.h"
#include "process_options.h"

#include <stdbool.h>
#include <stdint.h>

struct process;
struct process_tree;
struct profile;
struct sampling_options;
struct supervisor;

/* Makes a profile with the name of the program on it that is to be sampled, or of the process, the first of them. */
struct error *target_create_profile(const struct sampling_options *sampling, const struct process *process,
                                    struct profile **ret);

/* The processes that were named besides the first one. */
struct other_processes {
    struct process *processes[PROCESS_LIMIT]; /* NULL: it is somebody else's now */
    uint32_t count;
};

/* Fills a zeroed struct, which is to be emptied also after a failure. */
struct error *other_processes_open(const struct process_options *options, struct other_processes *others);
void other_processes_close(struct other_processes *others);

#define cleanup_other_processes __attribute__((cleanup(other_processes_close)))

/* Says why a process, or a program that was started, could not be attached to. Takes the error over. */
struct error *target_describe_error(char **program, bool with_children, const struct process *process,
                                    struct error *error);

/* Says who is missing in the recording, if anybody is. */
void target_report_refusals(struct process_tree *tree);

/*
 * Takes an error over that came before the first sample. NULL: a program that we started ended before a Python was up
 * in it, or before it could be looked at. There is nothing to record, and nothing wrong; it is said.
 */
struct error *target_allow_early_end(const struct supervisor *supervisor, struct error *error);

/* Print why a program could not be started, or why we failed with one, and return the exit status. */
int target_report_start_error(struct error *error, char **program);
int target_report_wrapper_error(struct error *error);

#endif
