/* SPDX-License-Identifier: MIT */
/*
 * What became of a recording's intervals: written by the threads that sample and join, read by anybody at any time. See
 * struct recording_progress.
 */
#ifndef SAMPLER_COUNTERS_H
#define SAMPLER_COUNTERS_H

#include "python/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { STALL_LIMIT = 16 };

/* A time in which we did not run for a second and more, since the recording began. */
struct stall {
    uint64_t begin_ns, end_ns;
    uint64_t intervals; /* that were missed, of all processes */
};

struct counters {
    _Atomic uint64_t samples, ok, idle, torn, unreadable, missed, incomplete, elsewhere, late;
    _Atomic uint64_t gil_held, gil_waits; /* see struct profile_info */
    _Atomic uint64_t native_missing, native_unmatched;
    _Atomic uint64_t late_looks, late_ns;
    struct stall stalls[STALL_LIMIT]; /* the first ones; held by the recording's lock, like their number */
    uint32_t stall_count;
    _Atomic uint64_t suspended_ns; /* for which the machine was */
    _Atomic uint64_t processes, reads, first_sample_ns;
    _Atomic uint64_t cpu_ns; /* of processes that are sampled no longer */
    _Atomic bool is_untested;
    _Atomic uint64_t unreadable_by_cause[PYTHON_STATUS_COUNT];
};

#endif
