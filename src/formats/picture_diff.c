/* SPDX-License-Identifier: MIT */
#include "picture_diff.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "columns.h"
#include "facts.h"
#include "profile/profile.h"
#include "walk.h"

#include <inttypes.h>
#include <math.h>

/* Colours get stronger at these changes, in percent of the whole; script/diff.js has the same. */
static const double steps[] = {1, 5};

struct error *picture_diff_init(struct picture_diff *picture, const struct diff *diff)
{
    *picture = (struct picture_diff){.diff = diff};
    struct error *error = calltree_init(&picture->before, diff->before.profile);
    return error ? error : calltree_init(&picture->after, diff->after.profile);
}

void picture_diff_deinit(struct picture_diff *picture)
{
    calltree_deinit(&picture->before);
    calltree_deinit(&picture->after);
}

static struct diff_amount total_of(const struct picture_diff *picture, uint32_t node)
{
    return (struct diff_amount){picture->before.nodes[node].total, picture->after.nodes[node].total};
}

static struct diff_amount self_of(const struct picture_diff *picture, uint32_t node)
{
    return (struct diff_amount){picture->before.nodes[node].self, picture->after.nodes[node].self};
}

/* All that is compared, of which a change can be a share. */
static double whole_of(const struct diff *diff)
{
    if (diff->measure == DIFF_SHARES)
        return 100;
    double before = diff_seconds(&diff->before, diff->before.all), after = diff_seconds(&diff->after, diff->after.all);
    return before > after ? before : after;
}

const char *picture_diff_class(const struct picture_diff *picture, uint32_t node)
{
    static const char *const more[] = {"u0", "u1", "u2"}, *const less[] = {"d0", "d1", "d2"};
    const struct diff_amount amount = total_of(picture, node);
    bool is_gone = amount.after == 0 && amount.before > 0;
    if (diff_is_noise(picture->diff, &amount))
        return is_gone ? "same gone" : "same";
    if (is_gone)
        return "gone";
    double change = diff_change(picture->diff, &amount), percent = 100 * fabs(change) / whole_of(picture->diff);
    size_t step = 0;
    while (step < array_size(steps) && percent >= steps[step])
        step++;
    return change > 0 ? more[step] : less[step];
}

static const char *note(const struct diff *diff, const struct diff_amount *amount)
{
    if (amount->before + amount->after == 0)
        return "";
    if (diff_is_noise(diff, amount))
        return ", may be noise";
    if (amount->before == 0)
        return ", new";
    return amount->after == 0 ? ", gone" : "";
}

/* "total 1.20 s -> 2.40 s (+1.20 s), 9.8 % -> 15.9 % (+6.1 points)" */
static void append_amount(struct buffer *out, const char *name, const struct diff *diff,
                          const struct diff_amount *amount)
{
    buffer_format(out, "%s %.3f s \u2192 %.3f s (%+.3f s), ", name, diff_seconds(&diff->before, amount->before),
                  diff_seconds(&diff->after, amount->after), diff_more_seconds(diff, amount));
    buffer_format(out, "%.2f %% \u2192 %.2f %% (%+.2f points)%s\n", diff_percent(&diff->before, amount->before),
                  diff_percent(&diff->after, amount->after), diff_points(diff, amount), note(diff, amount));
}

void picture_diff_append_details(struct buffer *out, const struct picture_diff *picture, uint32_t node)
{
    const struct diff_amount total = total_of(picture, node), self = self_of(picture, node);
    append_amount(out, "total", picture->diff, &total);
    append_amount(out, "self", picture->diff, &self);
}

bool picture_diff_legend(uint32_t number, const char **ret_class, const char **ret_text)
{
    static const char *const rows[][2] = {
        {"u2", "more total time"},
        {"d2", "less"},
        {"gone", "gone, as wide as it was"},
        {"same", "no change beyond noise"},
    };
    if (number >= array_size(rows))
        return false;
    *ret_class = rows[number][0];
    *ret_text = rows[number][1];
    return true;
}

static void append_side(struct buffer *out, const char *name, const struct diff_side *side)
{
    buffer_format(out, "%s %.4g s, ", name, diff_seconds(side, side->all));
    const struct profile_intervals *intervals = &profile_get_info(side->profile)->intervals;
    facts_append_count(out, side->all);
    buffer_format(out, " sample%s%s", side->all == 1 ? "" : "s", facts_are_lossy(intervals) ? ", " : "");
    facts_append_warning(out, intervals);
    buffer_append_text(out, "; ");
}

void picture_diff_append_facts(struct buffer *out, const struct picture_diff *picture)
{
    const struct diff *diff = picture->diff;
    append_side(out, "before", &diff->before);
    append_side(out, "after", &diff->after);
    buffer_append_text(out, diff->measure == DIFF_SHARES ? "shares of all time are compared" : "seconds are compared");
}

static void append_side_info(struct buffer *out, const char *name, const struct diff_side *side)
{
    buffer_format(out, ",\"%s\":{\"all\":%" PRIu64 ",\"interval_ns\":%" PRIu64 ",\"weight\":%.9g}", name, side->all,
                  profile_get_info(side->profile)->interval_ns, side->weight);
}

void picture_diff_append_info(struct buffer *out, const struct picture_diff *picture)
{
    const struct diff *diff = picture->diff;
    buffer_format(out, "{\"compares\":\"%s\",\"errors\":%d,\"scale\":%.17g",
                  diff->measure == DIFF_SHARES ? "shares" : "seconds", DIFF_NOISE_ERRORS, diff_scale(diff));
    append_side_info(out, "before", &diff->before);
    append_side_info(out, "after", &diff->after);
    buffer_append_char(out, '}');
}

struct error *picture_diff_write_amounts(const struct picture_diff *picture, FILE *out)
{
    cleanup_walk struct walk walk;
    struct error *error = walk_init(&walk, &picture->before);
    if (error)
        return error;
    struct column column;
    uint64_t passed = 0;
    column_begin(&column, out, "amounts");
    do {
        const struct diff_amount self = self_of(picture, walk.node);
        if (self.before + self.after > 0) {
            column_add(&column, passed);
            column_add(&column, self.before);
            column_add(&column, self.after);
            passed = 0;
        } else {
            passed++;
        }
    } while (walk_into(&walk));
    column_add(&column, passed);
    column_end(&column);
    return NULL;
}
