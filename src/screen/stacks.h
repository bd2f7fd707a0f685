/* SPDX-License-Identifier: MIT */
/*
 * The stacks of each thread as far as a filter shows them, and how many samples each of them has: since the beginning,
 * and in the last step. A step is what passes between two refreshes.
 */
#ifndef SCREEN_STACKS_H
#define SCREEN_STACKS_H

#include "base/table.h"
#include "profile/profile.h"
#include "profile/sample.h"

#include <stdbool.h>
#include <stdint.h>

struct filter;
struct filter_verdict;

enum {
    STACKS_ROOT = 0,
    STACKS_NONE = UINT32_MAX, /* no such stack; also: no memory */
    STATE_CLASSES = 4,        /* by whether a thread was active, and whether it held the GIL */
    CLASS_ACTIVE = 1,
    CLASS_GIL = 2,
};

/* A stack: its innermost frame, and that of its caller. Parents have smaller numbers. */
struct stack {
    uint32_t parent; /* STACKS_ROOT for the root of a thread */
    uint32_t frame;  /* of the profile; PROFILE_NONE for the roots */
    uint32_t thread; /* PROFILE_NONE for the root of all */
};

/* How many samples end in a stack, by class. */
struct stack_counts {
    uint64_t all[STATE_CLASSES];
    uint32_t now[STATE_CLASSES];     /* in the last step */
    uint32_t pending[STATE_CLASSES]; /* in the step that is not over */
};

/* What was seen in a step, whatever a filter shows of it: samples, each counted as often as it weighs. */
struct stacks_seen {
    uint64_t active, collecting, idle;
};

struct stacks {
    const struct profile *profile;
    const struct filter *filter; /* NULL: all is shown */
    struct stack *stacks;
    struct stack_counts *counts;
    uint32_t count, capacity, counts_capacity;
    struct table children;
    struct known_stack *known; /* of a thread, with a node of the profile */
    uint32_t known_count, known_capacity;
    struct table known_table;
    struct filter_verdict *verdicts; /* by frame */
    uint32_t verdict_count, verdict_capacity;
    uint8_t *marks; /* by node of the profile */
    uint32_t mark_count, mark_capacity;
    uint8_t *threads; /* whether each is shown */
    uint32_t thread_count, thread_capacity;
    struct stacks_seen pending, now;
};

/* The profile may grow meanwhile. */
bool stacks_init(struct stacks *stacks, const struct profile *profile, const struct filter *filter);

/* Accepts a zeroed struct. */
void stacks_deinit(struct stacks *stacks);

/* Counts a sample in the step that is not over. False without memory. */
bool stacks_count(struct stacks *stacks, const struct sample *sample);

/* Ends the step. */
void stacks_step(struct stacks *stacks);

/* Forgets what was counted, but no stack. */
void stacks_reset(struct stacks *stacks);

#endif
