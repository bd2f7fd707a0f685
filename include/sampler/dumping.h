/* SPDX-License-Identifier: MIT */
/*
 * Reading every thread's stack of a process once.
 */
#ifndef SAMPLER_DUMPING_H
#define SAMPLER_DUMPING_H

#include "base/error.h"

struct process;
struct process_dump;

/*
 * Fills *ret with the stacks of all threads. The process is not stopped: readings are repeated until one can be proved
 * to be a snapshot, at most a bounded number of times. A thread that cannot be read says why and does not hinder
 * others. Source lines are read from the process's files afterwards.
 */
struct error *dumping_run(const struct process *process, struct process_dump *ret);

#endif
