/* SPDX-License-Identifier: MIT */
/*
 * How long the DWARF information of one file may take, all questions together.
 */
#ifndef IMAGE_DEBUG_CLOCK_H
#define IMAGE_DEBUG_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed struct is a valid clock that has not run. */
struct debug_clock {
    uint64_t spent_ns;
    uint64_t deadline_ns; /* while it runs */
};

/* Lets it run. False, and it does not, when all time is spent. */
bool debug_clock_start(struct debug_clock *clock);
void debug_clock_stop(struct debug_clock *clock);

/* Whether there is time left; it must run. */
bool debug_clock_has_time(const struct debug_clock *clock);

#endif
