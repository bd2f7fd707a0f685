/* SPDX-License-Identifier: MIT */
/*
 * What a live view shows: rows out of samples. It knows no terminal.
 *
 *     model_create(feed, filter, interval_ns, &model);
 *     model_update(model)              each second, when the feed has got what is new
 *     model_list(model, &settings)     as often as something else is to be shown
 *     model_rows(model, &count)
 *
 * Amounts are samples. Shares are of the time that passed, so that a thread that runs all the time has 100 %, and two
 * have 200 % together.
 */
#ifndef SCREEN_MODEL_H
#define SCREEN_MODEL_H

#include "base/buffer.h"
#include "base/error.h"
#include "screen/rows.h"

#include <stdbool.h>
#include <stdint.h>

struct feed;
struct filter;
struct model;
struct profile;

/* What was seen in the last step, in shares of its time; 1: one thread all the time. */
struct model_load {
    double active, gil, gil_wait, collecting, idle;
    double cpu;      /* that the kernel says the processes had; below 0: not known */
    double nobody;   /* intervals in which no thread was active */
    double lost;     /* intervals that were torn, unreadable or missed */
    double lost_all; /* the same since the beginning */
};

enum { MODEL_HISTORY = 1024 };

/* The feed and the filter (NULL: all is shown) must outlive the model. */
struct error *model_create(struct feed *feed, const struct filter *filter, struct model **ret);

/* Accepts NULL. */
void model_destroy(struct model *model);

/*
 * Takes what is new in the feed. With is_paused that is put aside, and what is shown stays as it is until the first
 * update without.
 */
struct error *model_update(struct model *model, bool is_paused);

/* Forgets what was counted so far. */
void model_reset(struct model *model);

/* Makes the rows. */
struct error *model_list(struct model *model, const struct model_settings *settings);
const struct model_row *model_rows(const struct model *model, uint32_t *ret_count);

/* How the last list was made. */
enum model_grouping model_grouping(const struct model *model);
bool model_is_by_line(const struct model *model);

/* Opens or closes a row of a tree. Counts from the next list on. */
void model_open(struct model *model, const struct model_row *row, bool is_open);

/* The thread that a row has had most of: in the last step, if it had any in it. MODEL_NONE when there is none. */
uint32_t model_thread_of(const struct model *model, const struct model_row *row);

/* NULL before the first update that brought something. */
const struct profile *model_profile(const struct model *model);

struct model_load model_load(const struct model *model);

/* How long the last step took, and how long what was counted; with the interval of one sample. */
uint64_t model_step_ns(const struct model *model);
uint64_t model_whole_ns(const struct model *model);
uint64_t model_interval_ns(const struct model *model);

/* The loads (active) of the last steps, oldest first, at most MODEL_HISTORY. */
const float *model_history(const struct model *model, uint32_t *ret_count);

/* Whether everything had to be forgotten, as there were too many stacks. */
bool model_has_forgotten(const struct model *model);

/* Texts of a row, harmless: what it is, and where. */
void model_append_name(const struct model *model, const struct model_row *row, struct buffer *out);
void model_append_place(const struct model *model, const struct model_row *row, bool full_filenames,
                        struct buffer *out);

/* Whether a row has a text in its name or place, whatever the case of its letters. */
bool model_matches(const struct model *model, const struct model_row *row, const char *text);

/* A share of the last step in percent, and a time since the beginning in seconds. */
double model_percent(const struct model *model, uint64_t now);
double model_seconds(const struct model *model, uint64_t all);

static inline void cleanup_model_destroy(struct model **model)
{
    model_destroy(*model);
}

#define cleanup_model __attribute__((cleanup(cleanup_model_destroy)))

#endif
