/* SPDX-License-Identifier: MIT */
/*
 * Reading every thread's stack of a process once, or out of a core file.
 */
#ifndef SAMPLER_DUMPING_H
#define SAMPLER_DUMPING_H

#include "base/error.h"

#include <stdbool.h>

struct core;
struct process;
struct process_dump;

/*
 * Fills *ret with the stacks of all threads. Readings are repeated until one can be proved to be a snapshot, at most a
 * bounded number of times. is_blocking: threads that run are stopped for each of them; else nothing is stopped. A
 * thread that cannot be read says why and does not hinder others. Source lines are read from the process's files
 * afterwards.
 */
struct error *dumping_run(const struct process *process, bool is_blocking, struct process_dump *ret);

/*
 * The same of a core file. path: what it is called. Source lines are read from our own files, if those have not changed
 * since the core file was written.
 */
struct error *dumping_run_core(struct core *core, const char *path, struct process_dump *ret);

#endif
