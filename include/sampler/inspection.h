/* SPDX-License-Identifier: MIT */
/*
 * What a process lets us do: which Python it is, and how its samples would be taken. For who asks why a recording is as
 * it is; a recording finds this out by itself.
 */
#ifndef SAMPLER_INSPECTION_H
#define SAMPLER_INSPECTION_H

#include "base/error.h"

#include <stdbool.h>

enum { INSPECTION_VERSION_LEN = 64 };

struct process;

struct inspection {
    char version[INSPECTION_VERSION_LEN]; /* of Python */
    bool is_untested;                     /* nobody has seen that work */
    bool is_direct;                       /* memory is read by process_vm_readv, not through /proc/PID/mem */
    bool has_cpu_number; /* its threads have the number of their CPU in memory (rseq); else procfs is asked for it */
    bool is_urgent;      /* its main thread has real-time priority */
    int barred_cpus;     /* on which it may run, and we may not; -1: not known */
};

/* Errors: those of recording_attach(). */
struct error *inspection_run(const struct process *process, struct inspection *ret);

#endif
