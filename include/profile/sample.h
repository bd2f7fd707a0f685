/* SPDX-License-Identifier: MIT */
/*
 * One look at one thread.
 */
#ifndef PROFILE_SAMPLE_H
#define PROFILE_SAMPLE_H

#include "base/error.h"

#include <stdint.h>

/* What the thread did; a set. Stored in recordings by these numbers. */
enum sample_state {
    SAMPLE_ACTIVE = 1,   /* it ran, or was ready to */
    SAMPLE_HAS_GIL = 2,  /* it held the GIL */
    SAMPLE_GIL_WAIT = 4, /* it waited for the GIL, as far as that is known */
    SAMPLE_RECALLED = 8, /* it was not looked at, but ran: the stack is the one that it was seen with before */
    SAMPLE_COUNTED = 16, /* not one look: as many as its weight says, of which no more is known than their number */
};

struct sample {
    uint64_t time_ns; /* since the recording began: when the sample was due. Not always in order between threads */
    uint32_t thread;  /* see members.h */
    uint32_t node;    /* the stack: of the profile that goes with the samples */
    uint32_t weight;  /* intervals that it stands for, the last of which is that of its time */
    uint32_t states;  /* enum sample_state */
};

/* Called for each sample, in the order of the recording; an error ends the round and is returned. */
typedef struct error *(*sample_visitor)(void *context, const struct sample *sample);

#endif
