/* SPDX-License-Identifier: MIT */
/*
 * Noticing that the machine was suspended. CLOCK_MONOTONIC, by which is sampled, stands still meanwhile, so that
 * nothing is missed and nobody is charged; CLOCK_BOOTTIME goes on (clock_gettime(2)). What the second one gains is the
 * time of which a recording knows nothing.
 */
#ifndef SAMPLER_SUSPENSION_H
#define SAMPLER_SUSPENSION_H

#include <stdbool.h>
#include <stdint.h>

enum { SUSPENSION_MIN_NS = 10000000 }; /* far above what the clocks differ by, and below any suspension */

struct suspension {
    bool is_begun;
    uint64_t ahead_ns; /* of CLOCK_MONOTONIC, at most */
    uint64_t total_ns; /* for which the machine was suspended since the beginning */
};

/*
 * Takes three readings of the clocks, one after the other: of CLOCK_MONOTONIC, CLOCK_BOOTTIME, and CLOCK_MONOTONIC
 * again. We may have been stopped between them for any time, which is no suspension.
 */
void suspension_note(struct suspension *suspension, uint64_t before_ns, uint64_t boottime_ns, uint64_t after_ns);

/* The same with what the clocks say now. */
void suspension_note_now(struct suspension *suspension);

#endif
