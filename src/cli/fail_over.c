/* SPDX-License-Identifier: MIT */
#include "fail_over.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "formats/growth_text.h"
#include "profile/diff.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The share of the time, in percent, that a function has of which is told how much growth can be seen. */
static const double SHARE_OF_EXAMPLE = 10;

static const char *const kind_names[GROWTH_KINDS] = {[GROWTH_SELF] = "self", [GROWTH_TOTAL] = "total"};

struct error *fail_over_take(struct fail_over *limits, const char *text)
{
    int kind = GROWTH_SELF;
    const char *number = text;
    for (int i = 0; i < GROWTH_KINDS; i++) {
        size_t len = strlen(kind_names[i]);
        if (strncmp(text, kind_names[i], len) == 0 && text[len] == ':') {
            kind = i;
            number = text + len + 1;
        }
    }
    char *end;
    double points = strtod(number, &end);
    bool is_decimal = isdigit((unsigned char)*number) || *number == '.';
    if (!is_decimal || *end != '\0' || !(points >= 0 && points <= 100))
        return error_create(ERROR_USAGE,
                            "--fail-over takes percentage points, 0 to 100, or 'total:' and such a number, not '%s'",
                            text);
    limits->is_limited[kind] = true;
    limits->points[kind] = points;
    return NULL;
}

bool fail_over_is_set(const struct fail_over *limits)
{
    return limits->is_limited[GROWTH_SELF] || limits->is_limited[GROWTH_TOTAL];
}

static struct error *check_sides(const struct diff *diff)
{
    if (diff->before.all > 0 && diff->after.all > 0)
        return NULL;
    return error_create(ERROR_BAD_DATA, "--fail-over has nothing to compare: the recording %s has no samples to show",
                        diff->before.all == 0 ? "before" : "after");
}

/* A limit that chance alone may hide is no limit; of 0 points, it is what is wanted. */
static void warn_of_noise(const struct diff *diff, double points)
{
    double least = growth_least(diff, SHARE_OF_EXAMPLE);
    if (points <= 0 || least <= points)
        return;
    fprintf(stderr,
            "pyspyc: of so few samples (%" PRIu64 " before, %" PRIu64
            " after), growth by %g points may go unnoticed: a "
            "function with %g %% of the time has to grow by %.1f. Record for longer, or with a higher --rate\n",
            diff->before.all, diff->after.all, points, SHARE_OF_EXAMPLE, least);
}

static void say_what_grew(const struct diff *diff, enum growth_kind kind, const uint32_t *frames, uint32_t count,
                          const struct fail_over_options *options)
{
    for (uint32_t i = 0; i < count && i < options->rows; i++) {
        cleanup_buffer struct buffer text = {0};
        growth_text_append(&text, diff, kind, frames[i], options->full_filenames);
        fprintf(stderr, "pyspyc: %s\n", buffer_text(&text));
    }
    if (count > options->rows)
        fprintf(stderr, "pyspyc: and %u more, which '--top' shows\n", count - options->rows);
}

static struct error *check_kind(const struct fail_over *limits, const struct diff *diff, enum growth_kind kind,
                                const struct fail_over_options *options, bool *ret_has_grown)
{
    uint32_t count = 0;
    cleanup_free uint32_t *frames = NULL;
    double points = limits->points[kind];
    struct error *error = growth_find(diff, kind, points, &frames, &count);
    if (error)
        return error;
    say_what_grew(diff, kind, frames, count, options);
    *ret_has_grown |= count > 0;
    if (count == 0)
        warn_of_noise(diff, points);
    else
        fprintf(stderr, "pyspyc: --fail-over: %u %s%s grew by more than %g points\n", count,
                diff->lines == DIFF_LINES ? "line" : "function", count == 1 ? "" : "s", points);
    return NULL;
}

struct error *fail_over_check(const struct fail_over *limits, const struct diff *diff,
                              const struct fail_over_options *options, bool *ret_has_grown)
{
    bool has_grown = false;
    struct error *error = check_sides(diff);
    for (int kind = 0; !error && kind < GROWTH_KINDS; kind++) {
        if (limits->is_limited[kind])
            error = check_kind(limits, diff, (enum growth_kind)kind, options, &has_grown);
    }
    if (!error)
        *ret_has_grown = has_grown;
    return error;
}
