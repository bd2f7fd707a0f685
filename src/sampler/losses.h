/* SPDX-License-Identifier: MIT */
/*
 * What the counters tell of losses, in words.
 */
#ifndef SAMPLER_LOSSES_H
#define SAMPLER_LOSSES_H

#include <stdbool.h>

struct counters;
struct profile;

/* Notes in a profile what was lost or seen late. False without memory. */
bool losses_describe(const struct counters *counters, struct profile *profile);

#endif
