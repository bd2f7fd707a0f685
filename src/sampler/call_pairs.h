/* SPDX-License-Identifier: MIT */
/*
 * A program whose false stacks can be told: functions a_k call b_k and nobody else, as fast as they can.
 */
#ifndef SAMPLER_CALL_PAIRS_H
#define SAMPLER_CALL_PAIRS_H

#include "base/error.h"

#include <stdint.h>

struct profile;

enum { CALL_PAIRS_EXAMPLE_LEN = 128 };

/* The program, for Python 3. It ends with who started it, at the latest after an hour. */
extern const char call_pairs_program[];

struct call_pairs {
    uint64_t seen;                        /* samples in its functions */
    uint64_t impossible;                  /* those of all samples whose stacks it does not contain */
    char example[CALL_PAIRS_EXAMPLE_LEN]; /* such a caller and callee; "" for none */
};

/* Looks through the call tree of a recording. */
struct error *call_pairs_judge(const struct profile *profile, struct call_pairs *ret);

#endif
