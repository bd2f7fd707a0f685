/* SPDX-License-Identifier: MIT */
#include "suspension.h"

#include "schedule.h"

#include <time.h>

void suspension_note(struct suspension *suspension, uint64_t before_ns, uint64_t boottime_ns, uint64_t after_ns)
{
    /* In another time namespace either may be anything; what counts is that both readings are of the same one. */
    uint64_t at_most_ns = boottime_ns - before_ns, at_least_ns = boottime_ns - after_ns;
    int64_t gained_ns = (int64_t)(at_least_ns - suspension->ahead_ns);
    if (!suspension->is_begun) {
        *suspension = (struct suspension){.is_begun = true, .ahead_ns = at_most_ns};
    } else if (gained_ns >= SUSPENSION_MIN_NS) {
        suspension->total_ns += (uint64_t)gained_ns;
        suspension->ahead_ns = at_most_ns;
    } else if ((int64_t)(at_most_ns - suspension->ahead_ns) < 0) {
        suspension->ahead_ns = at_most_ns;
    }
}

void suspension_note_now(struct suspension *suspension)
{
    struct timespec boottime;
    uint64_t before_ns = monotonic_now_ns();
    if (clock_gettime(CLOCK_BOOTTIME, &boottime) != 0)
        return;
    uint64_t boottime_ns = (uint64_t)boottime.tv_sec * 1000000000U + (uint64_t)boottime.tv_nsec;
    suspension_note(suspension, before_ns, boottime_ns, monotonic_now_ns());
}
