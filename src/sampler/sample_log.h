/* SPDX-License-Identifier: MIT */
/*
 * Samples that were taken and not saved yet.
 */
#ifndef SAMPLER_SAMPLE_LOG_H
#define SAMPLER_SAMPLE_LOG_H

#include "profile/sample.h"

#include <stdbool.h>
#include <stdint.h>

struct sample_log {
    struct sample *samples;
    uint32_t count, capacity;
};

/* Accepts a zeroed struct. */
void sample_log_deinit(struct sample_log *log);

/* False without memory. */
bool sample_log_add(struct sample_log *log, const struct sample *sample);

#endif
