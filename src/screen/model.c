/* SPDX-License-Identifier: MIT */
#include "screen/model.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "listing.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "row_text.h"
#include "screen/feed.h"
#include "shape.h"
#include "stacks.h"

#include <string.h>

/* What the recording had counted when a step ended. */
struct step_end {
    uint64_t time_ns, cpu_ns, lost, idle, intervals, gil_held, gil_waits;
};

struct model {
    struct feed *feed;
    const struct filter *filter;
    uint32_t era;
    bool has_forgotten;
    bool is_begun; /* there is a profile, and stacks of it */
    struct stacks stacks;
    struct shape shape;
    bool has_shape;
    struct listing listing;
    struct step_end start, before, last; /* of what was counted, and of the last step */
    float history[MODEL_HISTORY];
    uint32_t history_count;
};

struct error *model_create(struct feed *feed, const struct filter *filter, struct model **ret)
{
    struct model *model = calloc(1, sizeof(*model));
    if (!model)
        return error_no_memory();
    model->feed = feed;
    model->filter = filter;
    *ret = model;
    return NULL;
}

static void forget(struct model *model)
{
    if (model->has_shape)
        shape_deinit(&model->shape);
    if (model->is_begun)
        stacks_deinit(&model->stacks);
    model->has_shape = model->is_begun = false;
    listing_clear(&model->listing);
}

void model_destroy(struct model *model)
{
    if (!model)
        return;
    forget(model);
    listing_deinit(&model->listing);
    free(model);
}

static struct step_end end_of_step(const struct profile *profile)
{
    const struct profile_info *info = profile_get_info(profile);
    const struct profile_intervals *intervals = &info->intervals;
    uint64_t lost = intervals->torn + intervals->unreadable + intervals->missed;
    return (struct step_end){
        .time_ns = info->duration_ns,
        .cpu_ns = info->cpu_ns,
        .lost = lost,
        .idle = intervals->idle,
        .intervals = lost + intervals->ok + intervals->idle,
        .gil_held = info->gil_held,
        .gil_waits = info->gil_waits,
    };
}

/* Begins with a profile that is new. */
static struct error *begin(struct model *model)
{
    const struct profile *profile = feed_profile(model->feed);
    if (model->is_begun && model->era == feed_era(model->feed))
        return NULL;
    model->has_forgotten |= model->is_begun;
    forget(model);
    model->era = feed_era(model->feed);
    if (!stacks_init(&model->stacks, profile, model->filter))
        return error_no_memory();
    model->is_begun = true;
    if (model->has_forgotten)
        model->start = model->last;
    return NULL;
}

static void add_history(struct model *model)
{
    if (model->history_count == MODEL_HISTORY) {
        model->history_count--;
        memmove(model->history, model->history + 1, model->history_count * sizeof(*model->history));
    }
    model->history[model->history_count++] = (float)model_load(model).active;
}

struct error *model_update(struct model *model, bool is_paused)
{
    uint32_t count;
    if (!feed_profile(model->feed))
        return NULL;
    struct error *error = begin(model);
    if (error)
        return error;
    const struct sample *samples = feed_take_new(model->feed, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!stacks_count(&model->stacks, &samples[i]))
            return error_no_memory();
    }
    if (is_paused)
        return NULL;
    stacks_step(&model->stacks);
    model->before = model->last;
    model->last = end_of_step(feed_profile(model->feed));
    add_history(model);
    return NULL;
}

void model_reset(struct model *model)
{
    model->start = model->before = model->last;
    model->has_forgotten = false;
    if (model->is_begun)
        stacks_reset(&model->stacks);
}

/* The samples that are wanted: bit n is class n. */
static unsigned classes_of(const struct model_settings *settings)
{
    unsigned classes = 0;
    for (unsigned class = 0; class < STATE_CLASSES; class ++) {
        bool is_wanted = (settings->with_idle || class & CLASS_ACTIVE) && (!settings->only_gil || class & CLASS_GIL);
        classes |= (unsigned)is_wanted << class;
    }
    return classes;
}

static bool has_fitting_shape(const struct model *model, const struct model_settings *settings)
{
    return model->has_shape && model->shape.by_line == settings->by_line && model->shape.grouping == settings->grouping;
}

struct error *model_list(struct model *model, const struct model_settings *settings)
{
    if (!model->is_begun)
        return NULL;
    if (!has_fitting_shape(model, settings)) {
        if (model->has_shape)
            shape_deinit(&model->shape);
        model->has_shape = true;
        if (!shape_init(&model->shape, model->stacks.profile, settings->by_line, settings->grouping))
            return error_no_memory();
    }
    if (!shape_sum(&model->shape, &model->stacks, classes_of(settings)) ||
        !listing_make(&model->listing, &model->shape, settings))
        return error_no_memory();
    return NULL;
}

const struct model_row *model_rows(const struct model *model, uint32_t *ret_count)
{
    *ret_count = model->listing.count;
    return model->listing.rows;
}

enum model_grouping model_grouping(const struct model *model)
{
    return model->has_shape ? model->shape.grouping : MODEL_MERGED;
}

bool model_is_by_line(const struct model *model)
{
    return model->has_shape && model->shape.by_line;
}

void model_open(struct model *model, const struct model_row *row, bool is_open)
{
    listing_open(&model->listing, row->id, is_open);
}

const struct profile *model_profile(const struct model *model)
{
    return model->is_begun ? model->stacks.profile : NULL;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

/*
 * The intervals that a thread could have been seen in, in the last step. Those that are counted are of all processes
 * together, so with several of them the time tells; with one, the count does, of which no thread can have more.
 */
static uint64_t step_intervals(const struct model *model)
{
    uint32_t processes = 0;
    if (model->is_begun)
        profile_processes(model->stacks.profile, &processes);
    uint64_t interval_ns = model_interval_ns(model);
    if (processes < 2 || interval_ns == 0)
        return model->last.intervals - model->before.intervals;
    return (model_step_ns(model) + interval_ns / 2) / interval_ns;
}

struct model_load model_load(const struct model *model)
{
    const struct step_end *from = &model->before, *to = &model->last;
    const struct stacks_seen *seen = &model->stacks.now;
    uint64_t intervals = step_intervals(model), counted = to->intervals - from->intervals;
    bool has_cpu = to->cpu_ns > from->cpu_ns && to->time_ns > from->time_ns;
    return (struct model_load){
        .active = share(seen->active, intervals),
        .gil = share(to->gil_held - from->gil_held, intervals),
        .gil_wait = share(to->gil_waits - from->gil_waits, intervals),
        .collecting = share(seen->collecting, intervals),
        .idle = share(seen->idle, intervals),
        .cpu = has_cpu ? share(to->cpu_ns - from->cpu_ns, to->time_ns - from->time_ns) : -1,
        .nobody = share(to->idle - from->idle, counted),
        .lost = share(to->lost - from->lost, counted),
        .lost_all = share(to->lost - model->start.lost, to->intervals - model->start.intervals),
    };
}

uint64_t model_step_ns(const struct model *model)
{
    return model->last.time_ns - model->before.time_ns;
}

uint64_t model_whole_ns(const struct model *model)
{
    return model->last.time_ns - model->start.time_ns;
}

uint64_t model_interval_ns(const struct model *model)
{
    return model->is_begun ? profile_get_info(model->stacks.profile)->interval_ns : 0;
}

const float *model_history(const struct model *model, uint32_t *ret_count)
{
    *ret_count = model->history_count;
    return model->history;
}

bool model_has_forgotten(const struct model *model)
{
    return model->has_forgotten;
}

double model_percent(const struct model *model, uint64_t now)
{
    return 100 * share(now, step_intervals(model));
}

double model_seconds(const struct model *model, uint64_t all)
{
    return (double)all * (double)model_interval_ns(model) / 1e9;
}

static struct row_scope scope_of(const struct model *model)
{
    return (struct row_scope){model_profile(model), model_grouping(model), model_is_by_line(model)};
}

void model_append_name(const struct model *model, const struct model_row *row, struct buffer *out)
{
    const struct row_scope scope = scope_of(model);
    row_append_name(&scope, row, out);
}

void model_append_place(const struct model *model, const struct model_row *row, bool full_filenames, struct buffer *out)
{
    const struct row_scope scope = scope_of(model);
    row_append_place(&scope, row, full_filenames, out);
}

bool model_matches(const struct model *model, const struct model_row *row, const char *text)
{
    const struct row_scope scope = scope_of(model);
    return row_matches_text(&scope, row, text);
}

/* Whether a stack is below a row, or of its group. */
static bool is_below(const struct model *model, uint32_t stack, const struct model_row *row)
{
    const struct shape *shape = &model->shape;
    uint32_t node = shape->of_stack[stack];
    if (row->group != MODEL_NONE && shape->nodes[node].group != row->group)
        return false;
    if (row->frame == MODEL_NONE)
        return true;
    for (; node != SHAPE_NONE; node = shape->nodes[node].parent) {
        if (shape->nodes[node].key == row->frame)
            return true;
    }
    return false;
}

uint32_t model_thread_of(const struct model *model, const struct model_row *row)
{
    const struct stacks *stacks = &model->stacks;
    uint64_t best = 0;
    uint32_t best_thread = MODEL_NONE, count;
    if (!model->is_begun)
        return MODEL_NONE;
    cleanup_free uint64_t *amounts = calloc(stacks->thread_count + (size_t)1, sizeof(*amounts));
    for (uint32_t i = 0; amounts && i < model->shape.stack_count; i++) {
        const struct stack_counts *counts = &stacks->counts[i];
        uint64_t amount = 0;
        for (int class = 0; class < STATE_CLASSES; class ++)
            amount += counts->all[class] + ((uint64_t)counts->now[class] << 32);
        if (amount > 0 && is_below(model, i, row))
            amounts[stacks->stacks[i].thread] += amount;
    }
    count = stacks->thread_count;
    for (uint32_t i = 0; amounts && i < count; i++) {
        if (amounts[i] > best) {
            best = amounts[i];
            best_thread = i;
        }
    }
    return best_thread;
}
