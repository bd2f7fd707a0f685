/* SPDX-License-Identifier: MIT */
/*
 * The functions that changed most between two recordings, for a terminal: once by their own time, once with what they
 * call. What may be noise is counted, and listed only where that is asked for, dim and behind a ~.
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "caption.h"
#include "diff_writers.h"
#include "facts.h"
#include "formats/diff_formats.h"
#include "formats/formats.h"
#include "profile/diff.h"
#include "profile/profile.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    NAME_COLUMN = 64,   /* where names begin; see append_numbers() */
    LEAST_COLUMNS = 24, /* that a name has, however narrow the terminal is */
};

/* Escape sequences of a terminal. Red and blue can be told by nearly everybody. */
static const char plain[] = "\033[0m", bold[] = "\033[1m", dim[] = "\033[2m", red[] = "\033[31m", blue[] = "\033[94m";

struct table {
    const struct diff *diff;
    const struct diff_format_options *options;
    struct captions captions;
    struct buffer text;
    int decimals; /* of seconds: as many as one sample is worth */
};

/* One of the two parts of the table. */
struct part {
    const struct table *table;
    const char *title;
    bool is_total;
    uint32_t *frames; /* that changed, and then those that are noise; the most first */
    uint32_t changed, noise;
};

static const char *style(const struct table *table, const char *sequence)
{
    return table->options->with_colours ? sequence : "";
}

static const struct diff_amount *amount_of(const struct part *part, uint32_t frame)
{
    const struct diff_function *function = &part->table->diff->functions[frame];
    return part->is_total ? &function->total : &function->self;
}

static int compare_changes(const void *a, const void *b, void *context)
{
    const struct part *part = context;
    uint32_t frame_a = *(const uint32_t *)a, frame_b = *(const uint32_t *)b;
    double change_a = fabs(diff_change(part->table->diff, amount_of(part, frame_a)));
    double change_b = fabs(diff_change(part->table->diff, amount_of(part, frame_b)));
    if (change_a > change_b || change_a < change_b)
        return change_a < change_b ? 1 : -1;
    return (frame_a > frame_b) - (frame_a < frame_b);
}

static bool is_listed(const struct part *part, uint32_t frame, bool is_noise)
{
    const struct diff_amount *amount = amount_of(part, frame);
    return amount->before + amount->after > 0 && diff_is_noise(part->table->diff, amount) == is_noise;
}

/* Lists the frames of one sort, sorted; frame 0 is the root. */
static uint32_t list_frames(struct part *part, uint32_t *frames, bool is_noise)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i < part->table->diff->frame_count; i++) {
        if (is_listed(part, i, is_noise))
            frames[count++] = i;
    }
    qsort_r(frames, count, sizeof(*frames), compare_changes, part);
    return count;
}

static void append_side(struct buffer *out, const struct table *table, const struct diff_side *side, uint64_t samples)
{
    if (samples == 0)
        buffer_format(out, "%11s %7s ", "-", "-");
    else
        buffer_format(out, "%9.*f s %5.1f %%", table->decimals, diff_seconds(side, samples),
                      diff_percent(side, samples));
}

static const char *note(const struct diff_amount *amount)
{
    if (amount->before == 0)
        return "new";
    return amount->after == 0 ? "gone" : "";
}

/* What stands before a name: NAME_COLUMN columns. */
static void append_numbers(struct buffer *out, const struct table *table, const struct diff_amount *amount)
{
    const struct diff *diff = table->diff;
    bool is_noise = diff_is_noise(diff, amount);
    const char *change = is_noise ? "" : style(table, diff_change(diff, amount) > 0 ? red : blue);
    buffer_append_text(out, is_noise ? style(table, dim) : "");
    append_side(out, table, &diff->before, amount->before);
    append_side(out, table, &diff->after, amount->after);
    buffer_format(out, " %s%+9.*f s %+6.1f pt%s", change, table->decimals, diff_more_seconds(diff, amount),
                  diff_points(diff, amount), is_noise ? "" : style(table, plain));
    buffer_format(out, " %s %-4s ", is_noise ? "~" : " ", note(amount));
}

static void append_name(struct table *table, uint32_t frame)
{
    const struct caption *caption = captions_get(&table->captions, frame);
    uint32_t columns = table->options->columns;
    size_t room = columns >= NAME_COLUMN + LEAST_COLUMNS ? columns - NAME_COLUMN : LEAST_COLUMNS;
    if (columns == 0)
        buffer_append(&table->text, buffer_text(&table->captions.text) + caption->offset, caption->len);
    else
        captions_fit(&table->captions, caption, room, &table->text);
    table->text.failed |= table->captions.text.failed;
}

static void append_rows(struct table *table, const struct part *part, const uint32_t *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct diff_amount *amount = amount_of(part, frames[i]);
        append_numbers(&table->text, table, amount);
        append_name(table, frames[i]);
        buffer_format(&table->text, "%s\n", diff_is_noise(table->diff, amount) ? style(table, plain) : "");
    }
}

static void append_rest(struct table *table, const struct part *part, uint32_t shown, bool has_noise)
{
    struct buffer *out = &table->text;
    if (part->changed > shown)
        buffer_format(out, "%u more changed\n", part->changed - shown);
    if (part->noise > 0 && !has_noise)
        buffer_format(out, "%s%u %s%s did not change by more than noise%s\n", style(table, dim), part->noise,
                      table->diff->lines == DIFF_LINES ? "line" : "function", part->noise == 1 ? "" : "s",
                      style(table, plain));
}

static struct error *append_part(struct table *table, const char *title, bool is_total)
{
    cleanup_free uint32_t *frames = calloc(table->diff->frame_count, sizeof(*frames));
    struct part part = {.table = table, .title = title, .is_total = is_total, .frames = frames};
    if (!frames)
        return error_no_memory();
    part.changed = list_frames(&part, frames, false);
    part.noise = list_frames(&part, frames + part.changed, true);
    uint32_t rows = table->options->rows;
    uint32_t shown = part.changed < rows ? part.changed : rows;
    uint32_t noise = !table->options->with_noise ? 0 : part.noise < rows - shown ? part.noise : rows - shown;
    buffer_format(&table->text, "\n%s%s%s\n", style(table, bold), title, style(table, plain));
    if (shown + noise > 0)
        buffer_format(&table->text, "%19s%20s%23s\n", "before", "after", "change");
    append_rows(table, &part, frames, shown);
    append_rows(table, &part, frames + part.changed, noise);
    append_rest(table, &part, shown, noise > 0);
    return NULL;
}

static void append_string(struct buffer *out, const struct profile *profile, uint32_t string)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    escape_visible(out, text, len);
}

/* "before      6.02 s, 602 samples: python3 app.py" */
static void append_head(struct table *table, const char *name, const struct diff_side *side)
{
    struct buffer *out = &table->text;
    const struct profile_info *info = profile_get_info(side->profile);
    buffer_format(out, "%-6s %9.*f s, ", name, table->decimals, diff_seconds(side, side->all));
    facts_append_count(out, side->all);
    buffer_format(out, " sample%s%s", side->all == 1 ? "" : "s", facts_are_lossy(&info->intervals) ? ", " : "");
    facts_append_warning(out, &info->intervals);
    buffer_append_text(out, ": ");
    append_string(out, side->profile, info->title);
    if (info->selection != PROFILE_NONE) {
        buffer_append_text(out, "; shown: ");
        append_string(out, side->profile, info->selection);
    }
    buffer_append_char(out, '\n');
}

static bool is_comparable(const struct diff *diff)
{
    return diff->before.all > 0 && diff->after.all > 0;
}

static void append_explanation(struct table *table)
{
    struct buffer *out = &table->text;
    const struct diff *diff = table->diff;
    buffer_append_char(out, '\n');
    if (!is_comparable(diff)) {
        buffer_append_text(out, "There is nothing to compare: a recording has no samples.\n");
        return;
    }
    buffer_append_text(out, diff->measure == DIFF_SHARES
                                ? "Compared are shares of all time that is shown, so that recordings may differ in "
                                  "length.\nFor runs that did the same work, '--normalize none' compares seconds.\n"
                                : "Compared are seconds, as for runs that did the same work.\n"
                                  "For recordings of any length, '--normalize share' compares shares of all time.\n");
    buffer_format(out, "%s %d standard errors of sampling%s.\n",
                  table->options->with_noise ? "Marked with ~ is what changed by no more than"
                                             : "Listed is what changed by more than",
                  DIFF_NOISE_ERRORS, table->options->with_noise ? "" : "; '--noise' lists the rest, too");
}

/* As many decimals as show one sample, 2 to 5. */
static int choose_decimals(const struct diff *diff)
{
    double before = diff_seconds(&diff->before, 1), after = diff_seconds(&diff->after, 1);
    double least = before < after ? before : after;
    int decimals = 2;
    while (decimals < 5 && pow(10, -decimals) > least * 1.001)
        decimals++;
    return decimals;
}

static struct error *fill(struct table *table, const struct diff *diff)
{
    append_head(table, "before", &diff->before);
    append_head(table, "after", &diff->after);
    append_explanation(table);
    if (!is_comparable(diff))
        return NULL;
    struct error *error = append_part(table, "Self time: in the function itself", false);
    return error ? error : append_part(table, "Total time: with what it calls", true);
}

struct error *diff_table_write(const struct diff *diff, const struct diff_format_options *options, FILE *out)
{
    const struct format_options labels = {.full_filenames = options->full_filenames};
    struct table table = {.diff = diff, .options = options, .decimals = choose_decimals(diff)};
    struct error *error = captions_init(&table.captions, diff->after.profile, diff->frame_count, &labels);
    if (!error)
        error = fill(&table, diff);
    if (!error && table.text.failed)
        error = error_no_memory();
    if (!error)
        fwrite(table.text.data, 1, table.text.len, out);
    captions_deinit(&table.captions);
    buffer_deinit(&table.text);
    return error;
}
