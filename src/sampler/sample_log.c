/* SPDX-License-Identifier: MIT */
#include "sample_log.h"

#include "base/table.h"

#include <stdlib.h>

void sample_log_deinit(struct sample_log *log)
{
    free(log->samples);
    *log = (struct sample_log){0};
}

bool sample_log_add(struct sample_log *log, const struct sample *sample)
{
    if (!array_grow(&log->samples, log->count, &log->capacity, sizeof(*log->samples)))
        return false;
    log->samples[log->count++] = *sample;
    return true;
}
