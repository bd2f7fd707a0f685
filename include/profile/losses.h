/* SPDX-License-Identifier: MIT */
/*
 * What a recording lost, or saw less well, and why: counts by cause, in words.
 */
#ifndef PROFILE_LOSSES_H
#define PROFILE_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile;

struct profile_loss {
    uint32_t cause; /* string: "stacks that were left out or have gaps: ..." */
    uint64_t count;
};

/* Sets how often a cause came up. False without memory. */
bool profile_set_loss(struct profile *profile, const char *cause, size_t len, uint64_t count);

void profile_clear_losses(struct profile *profile);

const struct profile_loss *profile_losses(const struct profile *profile, uint32_t *ret_count);

#endif
