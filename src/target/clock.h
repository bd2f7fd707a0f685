/* SPDX-License-Identifier: MIT */
/* The clock by which deadlines and waits are measured. */
#ifndef TARGET_CLOCK_H
#define TARGET_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

#endif
