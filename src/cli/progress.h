/* SPDX-License-Identifier: MIT */
/*
 * What a recording tells a person on standard error: a line while it goes on, and how it ended.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct profile_info;
struct recording;
struct recording_progress;

/* Whether standard error is a terminal that may be drawn on: TERM=dumb says that it may not. */
bool progress_is_wanted(void);

/* left_ms: until it ends by itself; -1: it does not, or that is not known. */
void progress_show(const struct recording *recording, uint64_t elapsed_ms, int64_t left_ms);
void progress_clear(void);

/* Prints what was recorded, and what was lost and why. */
void progress_report(const struct recording_progress *progress, const struct profile_info *info);

/* Warns that nobody has seen this version of Python work. */
void report_untested(void);

#endif
