/* SPDX-License-Identifier: MIT */
/*
 * Since when a thread sleeps, where the kernel tells (CONFIG_SCHED_DEBUG): it notes when a thread had its CPU last, by
 * a clock that each CPU has for itself. What that clock shows now, only a thread on the same CPU can say.
 *
 *     sleep_start_read(&task, &start);                 while it sleeps
 *     sleep_clocks_find_length(&clocks, &start, &ns);      later
 */
#ifndef TARGET_SLEEP_CLOCK_H
#define TARGET_SLEEP_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct task;

struct sleep_start {
    int32_t cpu;
    int64_t stamp_ns; /* when it had that last, by the CPU's clock */
    int64_t now_ns;   /* when that was read, by CLOCK_MONOTONIC */
};

enum { SLEEP_CLOCK_LIMIT = 64 }; /* CPUs whose clocks are looked at */

/* A zeroed struct is valid and empty. */
struct sleep_clocks {
    struct {
        int32_t cpu;
        bool is_known;
        int64_t behind_ns; /* by how much its clock is behind CLOCK_MONOTONIC */
    } clocks[SLEEP_CLOCK_LIMIT];
    uint32_t count;
};

/* The thread must be asleep. False when the kernel does not tell. */
bool sleep_start_read(const struct task *task, struct sleep_start *ret);

/*
 * For how long it had slept by then. Some milliseconds are lost, and what interrupts and other virtual machines have
 * taken from the CPU meanwhile. Starts a thread on each CPU that is new to it; false where we may not run there.
 */
bool sleep_clocks_find_length(struct sleep_clocks *clocks, const struct sleep_start *start, int64_t *ret_ns);

#endif
