/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "caption.h"
#include "json_stream.h"
#include "number.h"
#include "profile/losses.h"
#include "profile/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const double ns_per_second = 1e9;

enum {
    LOSSY_PERCENT = 1,  /* of the intervals */
    TITLE_COLUMNS = 80, /* behind a warning */
};

static const char list_separator[] = ", ";

/* How an interval can end. */
static const struct outcome {
    const char *word;
    size_t offset; /* in struct profile_intervals */
} outcomes[] = {
    {"ok", offsetof(struct profile_intervals, ok)},
    {"idle", offsetof(struct profile_intervals, idle)},
    {"torn", offsetof(struct profile_intervals, torn)},
    {"unreadable", offsetof(struct profile_intervals, unreadable)},
    {"missed", offsetof(struct profile_intervals, missed)},
};

static uint64_t count_of(const struct profile_intervals *intervals, size_t outcome)
{
    uint64_t count;
    memcpy(&count, (const char *)intervals + outcomes[outcome].offset, sizeof(count));
    return count;
}

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

uint64_t facts_count_intervals(const struct profile_intervals *intervals)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < array_size(outcomes); i++)
        sum += count_of(intervals, i);
    return sum;
}

static uint64_t count_lost(const struct profile_intervals *intervals)
{
    return intervals->torn + intervals->unreadable + intervals->missed;
}

static double lost_percent(const struct profile_intervals *intervals)
{
    uint64_t all = facts_count_intervals(intervals);
    return all == 0 ? 0 : 100.0 * (double)count_lost(intervals) / (double)all;
}

bool facts_are_lossy(const struct profile_intervals *intervals)
{
    return lost_percent(intervals) > LOSSY_PERCENT;
}

void facts_append_warning(struct buffer *out, const struct profile_intervals *intervals)
{
    if (facts_are_lossy(intervals))
        buffer_format(out, "%.*f %% of the intervals were lost, so shares may be off",
                      lost_percent(intervals) < 10 ? 1 : 0, lost_percent(intervals));
}

void facts_write_warned_title(struct json_stream *json, const struct profile *profile)
{
    size_t len;
    cleanup_buffer struct buffer warned = {0};
    const struct profile_info *info = profile_get_info(profile);
    facts_append_warning(&warned, &info->intervals);
    if (warned.len == 0) {
        json_short_string(json, profile, info->title);
        return;
    }
    const char *title = profile_string(profile, info->title, &len);
    buffer_append_text(&warned, ": ");
    caption_cut(&warned, title, len, TITLE_COLUMNS);
    json_string(json, buffer_text(&warned), warned.len);
    json->text.failed |= warned.failed;
}

void facts_append_intervals(struct buffer *out, const struct profile_intervals *intervals)
{
    for (size_t i = 0; i < array_size(outcomes); i++)
        buffer_format(out, "%s%" PRIu64 " %s", i > 0 ? list_separator : "", count_of(intervals, i), outcomes[i].word);
}

void facts_take_intervals(const char *text, struct profile_intervals *intervals)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        uint64_t count;
        for (size_t i = 0; i < array_size(outcomes); i++) {
            if (number_parse_with_unit(text, len, outcomes[i].word, &count))
                memcpy((char *)intervals + outcomes[i].offset, &count, sizeof(count));
        }
        text += len;
        text += strspn(text, list_separator);
    }
}

static void write_losses(struct json_stream *json, const struct profile *profile)
{
    uint32_t count;
    const struct profile_loss *losses = profile_losses(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        json_raw(json, i > 0 ? ",{\"cause\":" : "{\"cause\":");
        json_profile_string(json, profile, losses[i].cause);
        json_raw(json, ",\"count\":");
        json_number(json, losses[i].count);
        json_raw(json, "}");
    }
}

void facts_write_json(struct json_stream *json, const struct profile *profile)
{
    const struct profile_intervals *intervals = &profile_get_info(profile)->intervals;
    json_raw(json, "\"intervals\":");
    for (size_t i = 0; i < array_size(outcomes); i++) {
        json_raw(json, i > 0 ? ",\"" : "{\"");
        json_raw(json, outcomes[i].word);
        json_raw(json, "\":");
        json_number(json, count_of(intervals, i));
    }
    json_raw(json, "},\"losses\":[");
    write_losses(json, profile);
    json_raw(json, "]");
}

void facts_append(struct buffer *out, const struct profile_info *info, uint64_t samples)
{
    const struct profile_intervals *intervals = &info->intervals;
    facts_append_warning(out, intervals);
    buffer_append_text(out, facts_are_lossy(intervals) ? "; " : "");
    facts_append_count(out, samples);
    buffer_format(out, " sample%s, %.4g s", samples == 1 ? "" : "s", (double)info->duration_ns / ns_per_second);
    if (info->interval_ns > 0)
        buffer_format(out, ", %.6g per second", ns_per_second / (double)info->interval_ns);
    if (count_lost(intervals) == 0)
        return;
    const char *separator = "; lost: ";
    append_lost(out, intervals->torn, "torn", &separator);
    append_lost(out, intervals->unreadable, "unreadable", &separator);
    append_lost(out, intervals->missed, "missed", &separator);
    buffer_format(out, " (%.2g %%)", lost_percent(intervals));
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
    uint64_t all = facts_count_intervals(intervals);
    if (all == 0)
        buffer_append_text(out, "the recording ended before its first sample\n");
    append_reason(out, intervals->idle, all, "idle; -i shows them");
    append_reason(out, intervals->torn, all, "torn: the program ran while it was read, each time");
    append_reason(out, intervals->unreadable, all, "unreadable: the memory was not what it has to be");
    append_reason(out, intervals->missed, all, "missed: the profiler did not get to run in time");
}
