/* SPDX-License-Identifier: MIT */
#include "runs.h"

#include "base/cleanup.h"
#include "columns.h"
#include "profile/calltree.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/view.h"
#include "walk.h"

#include <stdbool.h>
#include <string.h>

/* What a thread is doing. */
struct run {
    uint64_t start, end; /* intervals; both 0: nothing yet */
    uint64_t last_end;   /* of the run before */
    uint32_t node;
};

struct runs {
    struct run *threads;
    uint32_t thread_count;
    uint32_t *numbers; /* node of the profile -> its place in a depth-first walk */
    uint64_t interval_ns;
    uint64_t count;
    struct column *column; /* NULL: they are only counted */
};

static void runs_deinit(struct runs *runs)
{
    free(runs->threads);
    free(runs->numbers);
}

/* Numbers nodes as picture_write_data() does. */
static struct error *number_nodes(struct runs *runs, const struct profile *profile)
{
    cleanup_calltree struct calltree tree = {0};
    cleanup_walk struct walk walk = {0};
    struct error *error = calltree_init(&tree, profile);
    if (!error)
        error = walk_init(&walk, &tree);
    if (error)
        return error;
    runs->numbers = malloc(tree.count * sizeof(*runs->numbers));
    if (!runs->numbers)
        return error_no_memory();
    uint32_t number = 0;
    do {
        runs->numbers[tree.nodes[walk.node].node] = number++;
    } while (walk_into(&walk));
    return NULL;
}

static void write_run(struct runs *runs, uint32_t thread)
{
    struct run *run = &runs->threads[thread];
    if (run->end == 0)
        return;
    runs->count++;
    if (runs->column) {
        column_add(runs->column, thread);
        column_add(runs->column, run->start - run->last_end);
        column_add(runs->column, run->end - run->start);
        column_add(runs->column, runs->numbers[run->node]);
    }
    run->last_end = run->end;
}

/* A sample goes on with its thread's run, or ends it; of what overlaps, the part that is later counts. */
static struct error *add_sample(void *context, const struct sample *sample)
{
    struct runs *runs = context;
    struct run *run = &runs->threads[sample->thread];
    uint64_t end = sample->time_ns / runs->interval_ns + 1;
    uint64_t start = end > sample->weight ? end - sample->weight : 0;
    start = start > run->end ? start : run->end;
    if (start >= end)
        return NULL;
    if (run->end == start && run->node == sample->node && run->end > 0) {
        run->end = end;
        return NULL;
    }
    write_run(runs, sample->thread);
    run->start = start;
    run->end = end;
    run->node = sample->node;
    return NULL;
}

/* One round over all samples. */
static struct error *tell(struct runs *runs, const struct view *view)
{
    memset(runs->threads, 0, runs->thread_count * sizeof(*runs->threads));
    runs->count = 0;
    struct error *error = view_each_sample(view, add_sample, runs);
    for (uint32_t i = 0; !error && i < runs->thread_count; i++)
        write_run(runs, i);
    return error;
}

struct error *runs_write(const struct view *view, FILE *out)
{
    const struct profile *profile = view_profile(view);
    struct runs runs __attribute__((cleanup(runs_deinit))) = {.interval_ns = profile_get_info(profile)->interval_ns};
    struct column column;
    profile_threads(profile, &runs.thread_count);
    runs.threads = calloc(runs.thread_count + (size_t)1, sizeof(*runs.threads));
    if (!runs.threads)
        return error_no_memory();
    runs.interval_ns += runs.interval_ns == 0;
    struct error *error = number_nodes(&runs, profile);
    if (!error)
        error = tell(&runs, view);
    if (error)
        return error;
    column_begin(&column, out, "runs");
    column_add(&column, runs.count);
    runs.column = &column;
    error = tell(&runs, view);
    column_end(&column);
    return error;
}
