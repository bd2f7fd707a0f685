/* SPDX-License-Identifier: MIT */
/*
 * measure_gaps(SECONDS, GAPS, LIMIT): reads the clock for so long, and notes the lengths in nanoseconds of stretches in
 * which it did not run. Returns how many.
 */
#include <stdint.h>
#include <time.h>

enum { SHORTEST_NS = 3000 }; /* two readings of the clock are far less apart */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int measure_gaps(double seconds, uint32_t *gaps, int limit)
{
    uint64_t last = now_ns(), end = last + (uint64_t)(seconds * 1e9);
    int count = 0;
    while (last < end) {
        uint64_t now = now_ns();
        if (now - last > SHORTEST_NS && count < limit)
            gaps[count++] = (uint32_t)(now - last);
        last = now;
    }
    return count;
}
