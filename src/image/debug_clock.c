/* SPDX-License-Identifier: MIT */
#include "debug_clock.h"

#include <time.h>

static const uint64_t limit_ns = 3000000000; /* 5,000 addresses in CPython take 0.2 s */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool debug_clock_start(struct debug_clock *clock)
{
    clock->deadline_ns = now_ns() + (limit_ns - clock->spent_ns);
    return clock->spent_ns < limit_ns;
}

void debug_clock_stop(struct debug_clock *clock)
{
    uint64_t now = now_ns();
    clock->spent_ns = now < clock->deadline_ns ? limit_ns - (clock->deadline_ns - now) : limit_ns;
}

bool debug_clock_has_time(const struct debug_clock *clock)
{
    return now_ns() < clock->deadline_ns;
}
