/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include "base/cleanup.h"
#include "numbers.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/sample.h"
#include "profile/view.h"
#include "tile_queue.h"

/* Above PID_MAX_LIMIT (include/linux/threads.h of Linux 6.1). */
enum { FIRST_MADE_UP_ID = (4 << 20) + 1 };

void timeline_deinit(struct timeline *timeline)
{
    profile_destroy(timeline->profile);
    free(timeline->nodes);
    free(timeline->threads);
    free(timeline->order);
    *timeline = (struct timeline){0};
}

/*
 * Samples come nearly in the order of time: some are told intervals later than others of their thread. So the tiles of
 * the last intervals are held back and sorted; no more of them than a limit, as a file can say that all is at one time.
 */
enum {
    HELD_BACK_INTERVALS = 8,
    HELD_BACK_TILES = 1 << 16,
};

/* A round over the samples. */
struct round {
    struct timeline *timeline;
    struct tile_queue queue;
    uint64_t interval_ns;
    uint64_t newest_ns; /* the latest end of a tile so far */
    tile_visitor visit;
    void *context;
};

static struct error *visit_first(struct round *round)
{
    struct tile tile;
    tile_queue_take(&round->queue, &tile);
    struct timeline_thread *thread = &round->timeline->threads[tile.thread];
    if (tile.start_ns < thread->end_ns)
        tile.start_ns = thread->end_ns;
    if (tile.end_ns < tile.start_ns || tile.weight == 0)
        tile.start_ns = tile.end_ns = thread->end_ns;
    thread->end_ns = tile.end_ns;
    return round->visit(round->context, &tile);
}

/* Whether a tile that is still to come can hardly be earlier than the first one. */
static bool is_first_due(const struct round *round)
{
    const struct tile *first = tile_queue_first(&round->queue);
    return first && (round->queue.count > HELD_BACK_TILES ||
                     round->newest_ns - first->end_ns > HELD_BACK_INTERVALS * round->interval_ns);
}

static struct error *add_sample(void *context, const struct sample *sample)
{
    struct round *round = context;
    uint64_t last = sample->time_ns / round->interval_ns;
    uint64_t first = last + 1 > sample->weight ? last + 1 - sample->weight : 0;
    const struct tile tile = {
        .start_ns = first * round->interval_ns,
        .end_ns = (last + 1) * round->interval_ns,
        .thread = sample->thread,
        .node = round->timeline->nodes[sample->node],
        .weight = sample->weight,
        .states = sample->states,
    };
    if (!tile_queue_add(&round->queue, &tile))
        return error_no_memory();
    if (tile.end_ns > round->newest_ns)
        round->newest_ns = tile.end_ns;
    struct error *error = NULL;
    while (!error && is_first_due(round))
        error = visit_first(round);
    return error;
}

static void round_deinit(struct round *round)
{
    tile_queue_deinit(&round->queue);
}

struct error *timeline_each_tile(struct timeline *timeline, tile_visitor visit, void *context)
{
    uint64_t interval_ns = profile_get_info(timeline->profile)->interval_ns;
    struct round round __attribute__((cleanup(round_deinit))) = {
        .timeline = timeline,
        .interval_ns = interval_ns > 0 ? interval_ns : 1,
        .visit = visit,
        .context = context,
    };
    for (uint32_t i = 0; i < timeline->thread_count; i++)
        timeline->threads[i].end_ns = 0;
    struct error *error = view_each_sample(timeline->view, add_sample, &round);
    while (!error && tile_queue_first(&round.queue))
        error = visit_first(&round);
    return error;
}

static struct error *count_tile(void *context, const struct tile *tile)
{
    struct timeline *timeline = context;
    struct timeline_thread *thread = &timeline->threads[tile->thread];
    thread->tiles += tile->start_ns < tile->end_ns;
    thread->samples += tile->weight;
    if (tile->end_ns > timeline->end_ns)
        timeline->end_ns = tile->end_ns;
    return NULL;
}

static int compare_threads(const void *a, const void *b, void *context)
{
    const struct timeline_thread *threads = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    uint64_t left_samples = threads[left].samples, right_samples = threads[right].samples;
    if (left_samples != right_samples)
        return left_samples < right_samples ? 1 : -1;
    return (left > right) - (left < right);
}

/* Puts the main thread of the first process that has one first. */
static void put_main_first(struct timeline *timeline)
{
    uint32_t count, best = PROFILE_NONE;
    const struct profile_thread *threads = profile_threads(timeline->profile, &count);
    for (uint32_t i = 0; i < timeline->order_count; i++) {
        const struct profile_thread *thread = &threads[timeline->order[i]];
        if (thread->is_main && (best == PROFILE_NONE || thread->process < threads[timeline->order[best]].process))
            best = i;
    }
    if (best == PROFILE_NONE)
        return;
    uint32_t first = timeline->order[best];
    for (uint32_t i = best; i > 0; i--)
        timeline->order[i] = timeline->order[i - 1];
    timeline->order[0] = first;
}

static void sort_threads(struct timeline *timeline)
{
    for (uint32_t i = 0; i < timeline->thread_count; i++) {
        if (timeline->threads[i].samples > 0)
            timeline->order[timeline->order_count++] = i;
    }
    qsort_r(timeline->order, timeline->order_count, sizeof(*timeline->order), compare_threads, timeline->threads);
    put_main_first(timeline);
}

static struct error *fill(struct timeline *timeline, enum profile_lines lines)
{
    const struct profile_detail detail = {.lines = lines};
    struct error *error =
        profile_reduce_mapped(view_profile(timeline->view), &detail, &timeline->profile, &timeline->nodes);
    if (error)
        return error;
    profile_threads(timeline->profile, &timeline->thread_count);
    timeline->end_ns = profile_get_info(timeline->profile)->duration_ns;
    timeline->threads = calloc(timeline->thread_count + (size_t)1, sizeof(*timeline->threads));
    timeline->order = malloc((timeline->thread_count + (size_t)1) * sizeof(*timeline->order));
    if (!timeline->threads || !timeline->order)
        return error_no_memory();
    error = timeline_each_tile(timeline, count_tile, timeline);
    if (!error)
        sort_threads(timeline);
    return error;
}

struct error *timeline_init(struct timeline *timeline, const struct view *view, enum profile_lines lines)
{
    *timeline = (struct timeline){.view = view};
    struct error *error = fill(timeline, lines);
    if (error)
        timeline_deinit(timeline);
    return error;
}

struct error *timeline_group_frames(const struct timeline *timeline, uint32_t **ret_threads, uint32_t **ret_processes)
{
    const struct profile *profile = view_profile(timeline->view);
    uint32_t process_count, node_count;
    const struct profile_node *nodes = profile_nodes(profile, &node_count);
    profile_processes(profile, &process_count);
    cleanup_free uint32_t *threads = numbers_create(timeline->thread_count);
    cleanup_free uint32_t *processes = numbers_create(process_count);
    if (!threads || !processes)
        return error_no_memory();
    for (uint32_t i = PROFILE_ROOT + 1; i < node_count; i++) {
        const struct profile_frame *frame = profile_frame(profile, nodes[i].frame);
        if (nodes[i].parent == PROFILE_ROOT)
            processes[frame->member] = nodes[i].frame;
        else if (nodes[nodes[i].parent].parent == PROFILE_ROOT)
            threads[frame->member] = nodes[i].frame;
    }
    *ret_threads = hand_over(&threads);
    *ret_processes = hand_over(&processes);
    return NULL;
}

int64_t timeline_pid(const struct timeline *timeline, uint32_t process)
{
    uint32_t count;
    int64_t pid = profile_processes(timeline->profile, &count)[process].pid;
    return pid > 0 ? pid : FIRST_MADE_UP_ID + (int64_t)process;
}

int64_t timeline_tid(const struct timeline *timeline, uint32_t thread)
{
    uint32_t count;
    int64_t tid = profile_threads(timeline->profile, &count)[thread].os_id;
    return tid > 0 ? tid : FIRST_MADE_UP_ID + (int64_t)thread;
}
