/* SPDX-License-Identifier: MIT */
/* Sentences that a picture says about its recording, in plain ASCII. */
#ifndef FORMATS_FACTS_H
#define FORMATS_FACTS_H

#include "base/buffer.h"

#include <stdint.h>

struct profile;
struct profile_info;

/* "1,234 samples, 12.3 s, 100 per second"; behind it what was lost, when anything was. */
void facts_append(struct buffer *out, const struct profile_info *info, uint64_t samples);

/* Why there is nothing to show, one reason a line; each line ends in a newline. */
void facts_append_reasons(struct buffer *out, const struct profile *profile);

/* A count with commas between thousands. */
void facts_append_count(struct buffer *out, uint64_t count);

/*
 * Appends what of the recording is shown, if that is not all: "; shown of 2,073 samples: focus "inner"", or where no
 * sample is left out "; shown: hide "inner"". samples: how many are shown.
 */
void facts_append_selection(struct buffer *out, const struct profile *profile, uint64_t samples);

#endif
