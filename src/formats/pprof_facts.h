/* SPDX-License-Identifier: MIT */
/*
 * What a pprof file has no fields for, told in its comments, which pprof shows at the head of each report:
 *
 *     command: python app.py
 *     shown: main thread
 *     intervals: 4900 ok, 80 idle, 20 torn, 0 unreadable, 0 missed
 *     CPU time: 40123456789 ns
 *     lost 12: intervals that were looked at late or not at all
 */
#ifndef FORMATS_PPROF_FACTS_H
#define FORMATS_PPROF_FACTS_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How system calls are told: by their mapping, and behind their names. */
static const char pprof_kernel_mapping[] = "[kernel]";
static const char pprof_kernel_ending[] = " (kernel)";

struct profile;

/* Appends the comments about a profile, each followed by a NUL. */
void pprof_facts_append(struct buffer *out, const struct profile *profile);

/* The command that a comment tells; NULL when it tells something else. */
const char *pprof_facts_command(const char *comment);

/* Takes what a comment tells of intervals and losses; others are passed over. False without memory. */
bool pprof_facts_take(struct profile *profile, const char *comment);

#endif
