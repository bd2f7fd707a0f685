/* SPDX-License-Identifier: MIT */
/*
 * Reading every thread's stack of a process once, or out of a core file.
 */
#ifndef SAMPLER_DUMPING_H
#define SAMPLER_DUMPING_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct core;
struct process;
struct process_dump;

struct dumping_options {
    bool is_blocking;     /* stop threads that run for each reading */
    bool with_native;     /* show C frames, too: every thread is stopped for that */
    bool with_all_native; /* those of the interpreter's machinery, and threads that Python knows nothing of, too */
    uint32_t text_limit;  /* characters of the values of arguments and local variables; 0: they are left out */
};

/*
 * Fills *ret with the stacks of all threads. Readings are repeated until one can be proved to be a snapshot, at most a
 * bounded number of times; with it the variables in them. Nothing is stopped, unless the options have it so. A thread
 * that cannot be read says why and does not hinder others. Source lines are read from the process's files afterwards.
 */
struct error *dumping_run(const struct process *process, const struct dumping_options *options,
                          struct process_dump *ret);

/*
 * The same of a core file, in which nothing has to be stopped. path: what it is called. Source lines are read from our
 * own files, if those have not changed since the core file was written. The thread that got the signal is there
 * even if Python knows nothing of it.
 */
struct error *dumping_run_core(struct core *core, const char *path, const struct dumping_options *options,
                               struct process_dump *ret);

#endif
