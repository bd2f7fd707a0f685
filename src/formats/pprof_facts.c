/* SPDX-License-Identifier: MIT */
#include "pprof_facts.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "facts.h"
#include "number.h"
#include "profile/losses.h"
#include "profile/profile.h"

#include <inttypes.h>
#include <string.h>

static const char command_key[] = "command: ";
static const char selection_key[] = "shown: ";
static const char intervals_key[] = "intervals: ";
static const char cpu_key[] = "CPU time: ";
static const char cpu_unit[] = "ns";
static const char loss_key[] = "lost ";

static void append_text(struct buffer *out, const char *key, const struct profile *profile, uint32_t string)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    if (len == 0)
        return;
    buffer_append_text(out, key);
    escape_visible(out, text, len);
    buffer_append_char(out, '\0');
}

/* pprof shows comments above its tables and graphs. */
static void append_warning(struct buffer *out, const struct profile_intervals *intervals)
{
    if (!facts_are_lossy(intervals))
        return;
    facts_append_warning(out, intervals);
    buffer_append_char(out, '\0');
}

static void append_intervals(struct buffer *out, const struct profile_intervals *intervals)
{
    buffer_append_text(out, intervals_key);
    facts_append_intervals(out, intervals);
    buffer_append_char(out, '\0');
}

static void append_losses(struct buffer *out, const struct profile *profile)
{
    uint32_t count;
    const struct profile_loss *losses = profile_losses(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        cleanup_buffer struct buffer key = {0};
        buffer_format(&key, "%s%" PRIu64 ": ", loss_key, losses[i].count);
        append_text(out, buffer_text(&key), profile, losses[i].cause);
        out->failed |= key.failed;
    }
}

void pprof_facts_append(struct buffer *out, const struct profile *profile)
{
    const struct profile_info *info = profile_get_info(profile);
    append_warning(out, &info->intervals);
    append_text(out, command_key, profile, info->title);
    append_text(out, selection_key, profile, info->selection);
    append_intervals(out, &info->intervals);
    if (info->cpu_ns > 0) {
        buffer_format(out, "%s%" PRIu64 " %s", cpu_key, info->cpu_ns, cpu_unit);
        buffer_append_char(out, '\0');
    }
    append_losses(out, profile);
}

/* What follows the key in a comment; NULL when it begins otherwise. */
static const char *value_of(const char *comment, const char *key)
{
    size_t len = strlen(key);
    return strncmp(comment, key, len) == 0 ? comment + len : NULL;
}

const char *pprof_facts_command(const char *comment)
{
    return value_of(comment, command_key);
}

/* "12: intervals that ..." */
static bool take_loss(struct profile *profile, const char *text)
{
    uint64_t count;
    const char *colon = strchr(text, ':');
    if (!colon || colon[1] != ' ' || !number_parse(text, (size_t)(colon - text), 10, &count))
        return true;
    return profile_set_loss(profile, colon + 2, strlen(colon + 2), count);
}

bool pprof_facts_take(struct profile *profile, const char *comment)
{
    struct profile_info *info = profile_info(profile);
    const char *loss = value_of(comment, loss_key);
    const char *intervals = value_of(comment, intervals_key);
    const char *cpu = value_of(comment, cpu_key);
    if (intervals)
        facts_take_intervals(intervals, &info->intervals);
    if (cpu)
        number_parse_with_unit(cpu, strlen(cpu), cpu_unit, &info->cpu_ns);
    return loss ? take_loss(profile, loss) : true;
}
