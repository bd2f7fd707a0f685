/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include "base/escape.h"
#include "profile/profile.h"

#include <inttypes.h>
#include <stdio.h>

static const double ns_per_second = 1e9;

void facts_append_count(struct buffer *out, uint64_t count)
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buffer_append_char(out, ',');
        buffer_append_char(out, digits[i]);
    }
}

static void append_lost(struct buffer *out, uint64_t count, const char *how, const char **separator)
{
    if (count == 0)
        return;
    buffer_append_text(out, *separator);
    facts_append_count(out, count);
    buffer_format(out, " %s", how);
    *separator = ", ";
}

static uint64_t count_intervals(const struct profile_intervals *intervals)
{
    return intervals->ok + intervals->idle + intervals->torn + intervals->unreadable + intervals->missed;
}

void facts_append(struct buffer *out, const struct profile_info *info, uint64_t samples)
{
    facts_append_count(out, samples);
    buffer_format(out, " sample%s, %.4g s", samples == 1 ? "" : "s", (double)info->duration_ns / ns_per_second);
    if (info->interval_ns > 0)
        buffer_format(out, ", %.6g per second", ns_per_second / (double)info->interval_ns);
    const struct profile_intervals *intervals = &info->intervals;
    uint64_t lost = intervals->torn + intervals->unreadable + intervals->missed;
    if (lost == 0)
        return;
    const char *separator = "; lost: ";
    append_lost(out, intervals->torn, "torn", &separator);
    append_lost(out, intervals->unreadable, "unreadable", &separator);
    append_lost(out, intervals->missed, "missed", &separator);
    buffer_format(out, " (%.2g %%)", 100.0 * (double)lost / (double)count_intervals(intervals));
}

void facts_append_selection(struct buffer *out, const struct profile *profile, uint64_t samples)
{
    const struct profile_info *info = profile_get_info(profile);
    size_t len;
    const char *selection = profile_string(profile, info->selection, &len);
    if (len == 0)
        return;
    buffer_append_text(out, "; shown");
    if (samples < info->all_samples) {
        buffer_append_text(out, " of ");
        facts_append_count(out, info->all_samples);
        buffer_append_text(out, " samples");
    }
    buffer_append_text(out, ": ");
    escape_visible(out, selection, len);
}

static void append_reason(struct buffer *out, uint64_t count, uint64_t all, const char *what)
{
    if (count == 0)
        return;
    facts_append_count(out, count);
    buffer_append_text(out, " of ");
    facts_append_count(out, all);
    buffer_format(out, " samples %s %s\n", count == 1 ? "was" : "were", what);
}

/* What was recorded and is not in view. */
static void append_hidden(struct buffer *out, const struct profile *profile)
{
    size_t len;
    const struct profile_info *info = profile_get_info(profile);
    const char *selection = profile_string(profile, info->selection, &len);
    buffer_append_text(out, "none of the ");
    facts_append_count(out, info->all_samples);
    buffer_append_text(out, " samples that were recorded is in view: ");
    escape_visible(out, selection, len);
    buffer_append_char(out, '\n');
}

void facts_append_reasons(struct buffer *out, const struct profile *profile)
{
    const struct profile_info *info = profile_get_info(profile);
    const struct profile_intervals *intervals = &info->intervals;
    if (info->selection != PROFILE_NONE && info->all_samples > 0) {
        append_hidden(out, profile);
        return;
    }
    uint64_t all = count_intervals(intervals);
    if (all == 0)
        buffer_append_text(out, "the recording ended before its first sample\n");
    append_reason(out, intervals->idle, all, "idle; -i shows them");
    append_reason(out, intervals->torn, all, "torn: the program ran while it was read, each time");
    append_reason(out, intervals->unreadable, all, "unreadable: the memory was not what it has to be");
    append_reason(out, intervals->missed, all, "missed: the profiler did not get to run in time");
}
