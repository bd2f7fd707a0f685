/* SPDX-License-Identifier: MIT */
/*
 * Whether a sampling thread has to take precedence over all ordinary threads to be on time.
 *
 * Mostly it need not: it wakes up within microseconds all the same, and who takes precedence makes a program that wakes
 * up at that moment move to another CPU (in 10 % of the wake-ups of tests/programs/grid.py at 1 kHz; else in none).
 * Others that keep the CPU busy, or a kernel without short slices (before 6.12), let it come late. Then it takes
 * precedence for a while, and tries again without. Whose looks take long does not have it, as the program would wait
 * for all of that time. One that does tells nothing: a machine that is a guest of another one stands still now and
 * then. tests/bench/README.md has the measurements.
 */
#ifndef SAMPLER_PUNCTUALITY_H
#define SAMPLER_PUNCTUALITY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PUNCTUALITY_LATE_NS = 150000,  /* a wake-up that comes so much after its time is late */
    PUNCTUALITY_WINDOW = 32,       /* of so many wake-ups */
    PUNCTUALITY_LATE_LIMIT = 2,    /* so many may not be late */
    PUNCTUALITY_WORK_NS = 1000000, /* beyond which work takes too long to be done with precedence, */
    PUNCTUALITY_LONG_LIMIT = 3,    /* when it does so often in a window */
};

#define PUNCTUALITY_TERM_NS UINT64_C(5000000000) /* until precedence is given back, or may be taken again */

struct punctuality {
    bool has_precedence; /* it is to have it now */
    bool is_barred;      /* it may not have it until the end of the term */
    uint64_t term_end_ns;
    uint64_t woken_ns;   /* when the last wake-up was */
    uint32_t wake_ups;   /* in the window */
    uint32_t late;       /* of them; only counted without precedence, */
    uint32_t long_works; /* and behind how many of them work took too long: only with it */
};

/* To be called when all work is done, before going to sleep. Times are those of one clock. */
void punctuality_note_sleep(struct punctuality *punctuality, uint64_t now_ns);

/* To be called after each wake-up. late_ns: after its time, or after going to sleep, if that was later. */
void punctuality_note_wake_up(struct punctuality *punctuality, uint64_t now_ns, uint64_t late_ns);

#endif
