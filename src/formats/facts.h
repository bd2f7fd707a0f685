/* SPDX-License-Identifier: MIT */
/* Sentences that a picture says about its recording, in plain ASCII. */
#ifndef FORMATS_FACTS_H
#define FORMATS_FACTS_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct json_stream;
struct profile;
struct profile_info;
struct profile_intervals;

/* All intervals that were due; 0: it is not known. */
uint64_t facts_count_intervals(const struct profile_intervals *intervals);

/* Whether so many intervals were lost that a picture has to say so before anything else. */
bool facts_are_lossy(const struct profile_intervals *intervals);

/* That, when it is so: "12 % of the intervals were lost, so shares may be off". */
void facts_append_warning(struct buffer *out, const struct profile_intervals *intervals);

/* A profile's title as JSON, a long one shortened, with the warning in front when there is one. */
void facts_write_warned_title(struct json_stream *json, const struct profile *profile);

/* How each interval ended, by the same words everywhere: "638 ok, 24 idle, 9 torn, 0 unreadable, 0 missed". */
void facts_append_intervals(struct buffer *out, const struct profile_intervals *intervals);

/* Takes such words; of what is no such, or not there, the counts stay as they are. */
void facts_take_intervals(const char *text, struct profile_intervals *intervals);

/*
 * The same as JSON, `"intervals":{"ok":638,...},"losses":[{"cause":"...","count":1},...]`; losses are what else was
 * lost or seen less well, by cause.
 */
void facts_write_json(struct json_stream *json, const struct profile *profile);

/* "1,234 samples, 12.3 s, 100 per second"; behind it what was lost, when anything was, and a warning in front. */
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
