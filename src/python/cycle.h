/* SPDX-License-Identifier: MIT */
/*
 * Notices that a chain of pointers goes in a circle, by Brent's method: without memory, and after a number of steps
 * that the length of the chain and of the circle bound.
 */
#ifndef PYTHON_CYCLE_H
#define PYTHON_CYCLE_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

/* A zeroed struct is ready for a chain; 0 is no link of one. */
struct cycle {
    remote_addr remembered; /* a link met earlier, */
    uint32_t steps, limit;  /* the steps since, and after how many to remember another one */
};

/* Takes one link after the other; true when it has met this one before. */
static inline bool cycle_meets(struct cycle *cycle, remote_addr link)
{
    if (link == cycle->remembered)
        return true;
    if (cycle->steps++ == cycle->limit) {
        cycle->remembered = link;
        cycle->steps = 0;
        cycle->limit = 2 * cycle->limit + 1;
    }
    return false;
}

#endif
