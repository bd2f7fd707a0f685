/* SPDX-License-Identifier: MIT */
/*
 * Two recordings beside each other: what takes more time than before, what takes less, and what cannot be told.
 *
 *     diff_source_init(&before, before_view);  diff_source_init(&after, after_view);
 *     diff_create(&before, &after, &options, &diff);
 *     diff->functions[i].self, .total              samples before and after
 *     diff_change(), diff_points(), diff_is_noise()
 *
 * Between two recordings the program may have been edited, moved or begun by another number. So functions are the same
 * when their names and short file names are, threads when their names are, processes when their command lines are.
 *
 * Noise: of A samples `after`, a function has a. If each sample is a draw of its own, a is binomial, and the share
 * a / A is known to a standard error of sqrt(p (1 - p) / A). With the share p of both recordings together (and
 * one sample more with the function and one without it, so that none is never certain), the difference of two shares
 * has
 *
 *     sqrt(p (1 - p) (w / A + v / B))
 *
 * w and v are the mean weights of the samples: one that stands for n intervals is one look, not n. As looks come one by
 * one, half a look on each side is taken off the difference (Yates's correction), without which a single sample of a
 * short recording would count. What is left is called noise when it is not more than DIFF_NOISE_ERRORS of these errors.
 * For seconds, each side has its own p and error, and their squares are added.
 *
 * This is the noise of sampling alone. Samples in a row are not drawn
 * apart from each other: of what runs for long at a time, less is left to chance than that, and of what happens now and
 * then, for many samples in a row, more. And how much a program differs from run to run, no two recordings can tell.
 */
#ifndef PROFILE_DIFF_H
#define PROFILE_DIFF_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct profile;
struct view;

/* One of the recordings. */
struct diff_source {
    const struct profile *profile; /* in all detail, as a view gives it */
    double weight;                 /* of its samples: the mean, each sample having its weight's share in that */
};

/* The profile is the view's. */
struct error *diff_source_init(struct diff_source *source, const struct view *view);

/* By what a function is told from others, besides its name and file. */
enum diff_lines {
    DIFF_NO_LINES,    /* nothing, as lines change with each edit above them */
    DIFF_FIRST_LINES, /* its first line: for code that is the same */
    DIFF_LINES,       /* the current line: what is compared is lines, of code that is the same */
};

/* What is compared. */
enum diff_measure {
    DIFF_SHARES,  /* of all time that is shown: recordings of any length can be compared */
    DIFF_SECONDS, /* as recorded: when both did the same work */
};

struct diff_options {
    enum diff_lines lines;
    enum diff_measure measure;
    bool with_threads, with_processes; /* have root frames of their own */
    bool with_full_files;              /* whole paths have to be the same, not the short ones alone */
    bool without_lines;                /* frames have no line; else that of the function, if all of its name have one */
};

/* Samples before and after. */
struct diff_amount {
    uint64_t before, after;
};

struct diff_function {
    struct diff_amount self;
    struct diff_amount total; /* with what it calls; once for each stack, however often the function is in it */
};

struct diff_side {
    struct profile *profile;
    uint64_t all; /* its samples */
    double weight;
};

struct diff {
    /* The same frames and nodes by the same numbers, each with the samples of its side. Titles and info are each side's
     * own. There are no members, and root frames of threads and processes are marks, as they are of two. */
    struct diff_side before, after;
    struct diff_function *functions; /* by frame */
    uint32_t frame_count;
    enum diff_measure measure;
    enum diff_lines lines;
};

/* Hundreds of functions are compared at once. Of functions that did not change, one in 20 is off by 2 errors: too many
 * to be told from a few that did. One in 370 is off by 3. */
enum { DIFF_NOISE_ERRORS = 3 };

/* The sources can go afterwards. */
struct error *diff_create(const struct diff_source *before, const struct diff_source *after,
                          const struct diff_options *options, struct diff **ret);

/*
 * Makes a profile for a picture of both: with the same frames and nodes, and in each node the samples `after`; but
 * where nothing is left of a node with all that it called, it has those of `before`, scaled as they are compared, so
 * that what went can be seen as wide as it was. Its info is that of `after`, its members are none.
 */
struct error *diff_make_widths(const struct diff *diff, struct profile **ret);

/* What a sample before is in samples after, as they are compared. */
double diff_scale(const struct diff *diff);

/* Accepts NULL. */
void diff_destroy(struct diff *diff);

double diff_seconds(const struct diff_side *side, uint64_t samples);

/* Of all samples of the side, in percent; 0 if it has none. */
double diff_percent(const struct diff_side *side, uint64_t samples);

/* From before to after: of what is compared, in seconds, and in percentage points. */
double diff_change(const struct diff *diff, const struct diff_amount *amount);
double diff_more_seconds(const struct diff *diff, const struct diff_amount *amount);
double diff_points(const struct diff *diff, const struct diff_amount *amount);

/* Whether chance may have made the change of what is compared; always, when a side has no samples at all. */
bool diff_is_noise(const struct diff *diff, const struct diff_amount *amount);

static inline void cleanup_diff_destroy(struct diff **diff)
{
    diff_destroy(*diff);
}

#define cleanup_diff __attribute__((cleanup(cleanup_diff_destroy)))

#endif
