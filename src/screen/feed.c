/* SPDX-License-Identifier: MIT */
#include "screen/feed.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "profile/copy.h"
#include "profile/losses.h"
#include "profile/members.h"
#include "profile/recording_writer.h"

#include <string.h>

enum {
    SAMPLE_LIMIT = 4 << 20, /* samples that are kept, 24 bytes each */
    MARK_LIMIT = 4096,      /* hand-overs that are remembered */
    WRITE_STEP = 1 << 20,   /* bytes in one block of a recording */
    BATCH = 1024,           /* samples that are handed over at once */
};

/* What the recording's info was at one hand-over. */
struct feed_mark {
    uint64_t time_ns; /* since the recording began */
    uint64_t cpu_ns;
    struct profile_intervals intervals;
};

struct feed {
    uint64_t keep_ns;
    struct profile_copy copy; /* its profile is ours; its source belongs to the recording, and is gone meanwhile */
    uint32_t *nodes;          /* of the recording's profile -> of ours */
    uint32_t node_count, node_capacity;
    uint32_t thread_count; /* that were copied */
    uint32_t process_count;
    struct sample *samples; /* those that are kept begin with first */
    uint32_t first, count, capacity;
    uint32_t seen; /* samples up to here were taken */
    struct feed_mark *marks;
    uint32_t mark_count; /* there always is one */
    uint32_t era;
    bool has_failed; /* memory ran out */
};

struct error *feed_create(uint64_t keep_ns, struct feed **ret)
{
    cleanup_feed struct feed *feed = calloc(1, sizeof(*feed));
    if (!feed)
        return error_no_memory();
    feed->keep_ns = keep_ns;
    feed->marks = calloc(MARK_LIMIT, sizeof(*feed->marks));
    if (!feed->marks)
        return error_no_memory();
    feed->mark_count = 1; /* the beginning, when nothing was counted */
    *ret = hand_over(&feed);
    return NULL;
}

void feed_destroy(struct feed *feed)
{
    if (!feed)
        return;
    profile_copy_deinit(&feed->copy);
    free(feed->nodes);
    free(feed->samples);
    free(feed->marks);
    free(feed);
}

const struct profile *feed_profile(const struct feed *feed)
{
    return feed->copy.profile;
}

uint32_t feed_era(const struct feed *feed)
{
    return feed->era;
}

static bool map_node(struct feed *feed, uint32_t node)
{
    if (node == PROFILE_NONE || !array_grow(&feed->nodes, feed->node_count, &feed->node_capacity, sizeof(*feed->nodes)))
        return false;
    feed->nodes[feed->node_count++] = node;
    return true;
}

/* Begins the profile with the info and members of the recording's. */
static bool begin(struct feed *feed, const struct profile *source)
{
    cleanup_error struct error *error = NULL;
    profile_copy_deinit(&feed->copy);
    feed->node_count = 0;
    error = profile_copy_init(&feed->copy, source);
    if (error) {
        feed->copy = (struct profile_copy){0};
        return false;
    }
    profile_threads(source, &feed->thread_count);
    profile_processes(source, &feed->process_count);
    return map_node(feed, PROFILE_ROOT);
}

static bool gather_nodes(struct feed *feed, const struct profile *source)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(source, &count);
    for (uint32_t i = feed->node_count; i < count; i++) {
        uint32_t frame = profile_copy_frame(&feed->copy, profile_frame(source, nodes[i].frame));
        uint32_t parent = feed->nodes[nodes[i].parent];
        if (frame == PROFILE_NONE || !map_node(feed, profile_child(feed->copy.profile, parent, frame)))
            return false;
    }
    return true;
}

static bool gather_processes(struct feed *feed, const struct profile *source)
{
    uint32_t count;
    const struct profile_process *processes = profile_processes(source, &count);
    for (; feed->process_count < count; feed->process_count++) {
        struct profile_process process = processes[feed->process_count];
        process.command_line = profile_copy_string(&feed->copy, process.command_line);
        process.python_version = profile_copy_string(&feed->copy, process.python_version);
        if (profile_add_process(feed->copy.profile, &process) == PROFILE_NONE)
            return false;
    }
    return true;
}

/* Threads can get another name at any time. */
static bool gather_threads(struct feed *feed, const struct profile *source)
{
    uint32_t count;
    const struct profile_thread *threads = profile_threads(source, &count);
    for (uint32_t i = 0; i < feed->thread_count; i++)
        profile_name_thread(feed->copy.profile, i, profile_copy_string(&feed->copy, threads[i].name));
    for (; feed->thread_count < count; feed->thread_count++) {
        struct profile_thread thread = threads[feed->thread_count];
        thread.name = profile_copy_string(&feed->copy, thread.name);
        if (profile_add_thread(feed->copy.profile, &thread) == PROFILE_NONE)
            return false;
    }
    return true;
}

static bool gather_info(struct feed *feed, const struct profile *source)
{
    uint32_t count;
    struct profile_info *info = profile_info(feed->copy.profile);
    const struct profile_info own = *info;
    *info = *profile_get_info(source);
    info->title = own.title;
    info->recorder = own.recorder;
    info->selection = own.selection;
    const struct profile_loss *losses = profile_losses(source, &count);
    for (uint32_t i = 0; i < count; i++) {
        size_t len;
        const char *cause = profile_string(source, losses[i].cause, &len);
        if (!profile_set_loss(feed->copy.profile, cause, len, losses[i].count))
            return false;
    }
    return true;
}

/* Notes what the info is now. When there is no more room, every other mark is forgotten. */
static void add_mark(struct feed *feed)
{
    const struct profile_info *info = profile_get_info(feed->copy.profile);
    if (feed->mark_count == MARK_LIMIT) {
        for (uint32_t i = 0; i < MARK_LIMIT / 2; i++)
            feed->marks[i] = feed->marks[(size_t)2 * i];
        feed->mark_count = MARK_LIMIT / 2;
    }
    feed->marks[feed->mark_count++] = (struct feed_mark){info->duration_ns, info->cpu_ns, info->intervals};
}

static void gather(void *context, const struct profile *source)
{
    struct feed *feed = context;
    bool is_whole = feed->copy.profile || begin(feed, source);
    if (is_whole) {
        feed->copy.source = source;
        is_whole = profile_copy_follow(&feed->copy) && gather_nodes(feed, source) && gather_processes(feed, source) &&
                   gather_threads(feed, source) && gather_info(feed, source);
    }
    if (is_whole)
        add_mark(feed);
    feed->has_failed |= !is_whole;
}

/* Whether everything since a mark is there. */
static bool is_covered(const struct feed *feed, const struct feed_mark *mark)
{
    uint64_t end_ns = feed->marks[feed->mark_count - 1].time_ns;
    return mark->time_ns + feed->keep_ns >= end_ns;
}

/* Forgets the first marks, but never the last one. */
static void forget_marks(struct feed *feed, uint32_t count)
{
    feed->mark_count -= count;
    memmove(feed->marks, feed->marks + count, feed->mark_count * sizeof(*feed->marks));
}

static void forget_old_marks(struct feed *feed)
{
    uint32_t old = 0;
    while (old + 1 < feed->mark_count && !is_covered(feed, &feed->marks[old]))
        old++;
    forget_marks(feed, old);
}

/* Too many samples: the time that is kept becomes shorter. */
static void forget_excess(struct feed *feed)
{
    uint32_t old = 0;
    if (feed->count - feed->first <= SAMPLE_LIMIT)
        return;
    feed->first = feed->count - SAMPLE_LIMIT;
    while (old + 1 < feed->mark_count && feed->marks[old].time_ns < feed->samples[feed->first].time_ns)
        old++;
    forget_marks(feed, old);
}

/* Forgets what is too old. All samples have been taken by then. */
static void forget_old(struct feed *feed)
{
    forget_old_marks(feed);
    while (feed->first < feed->count && feed->samples[feed->first].time_ns < feed->marks[0].time_ns)
        feed->first++;
    forget_excess(feed);
    if (feed->first < feed->count / 2)
        return;
    feed->count -= feed->first;
    feed->seen = feed->seen > feed->first ? feed->seen - feed->first : 0;
    if (feed->count > 0)
        memmove(feed->samples, feed->samples + feed->first, feed->count * sizeof(*feed->samples));
    feed->first = 0;
}

static struct error *take(void *context, const struct sample *samples, uint32_t count)
{
    struct feed *feed = context;
    if (feed->has_failed)
        return error_no_memory();
    forget_old(feed);
    for (uint32_t i = 0; i < count; i++) {
        if (!array_grow(&feed->samples, feed->count, &feed->capacity, sizeof(*feed->samples)))
            return error_no_memory();
        struct sample *sample = &feed->samples[feed->count++];
        *sample = samples[i];
        sample->node = feed->nodes[sample->node];
    }
    return NULL;
}

static void begin_anew(void *context, const struct profile *source)
{
    struct feed *feed = context;
    feed->era++;
    feed->first = feed->count = feed->seen = 0;
    feed->has_failed |= !begin(feed, source);
    feed->marks[0] = feed->marks[feed->mark_count - 1];
    feed->mark_count = 1;
}

const struct recording_taker feed_taker = {gather, take, begin_anew};

const struct sample *feed_take_new(struct feed *feed, uint32_t *ret_count)
{
    uint32_t from = feed->seen;
    *ret_count = feed->count - from;
    feed->seen = feed->count;
    return feed->samples + from;
}

/* Where what is kept begins. */
static struct feed_mark begin_of(const struct feed *feed)
{
    uint32_t i = 0;
    while (i + 1 < feed->mark_count && !is_covered(feed, &feed->marks[i]))
        i++;
    return feed->marks[i];
}

uint64_t feed_kept_ns(const struct feed *feed)
{
    return feed->marks[feed->mark_count - 1].time_ns - begin_of(feed).time_ns;
}

static struct profile_info describe(const struct profile_info *info, const struct feed_mark *begin)
{
    struct profile_info part = *info;
    part.duration_ns -= begin->time_ns;
    part.start_unix_ns += begin->time_ns;
    part.cpu_ns = info->cpu_ns > begin->cpu_ns ? info->cpu_ns - begin->cpu_ns : 0;
    part.intervals.ok -= begin->intervals.ok;
    part.intervals.idle -= begin->intervals.idle;
    part.intervals.torn -= begin->intervals.torn;
    part.intervals.unreadable -= begin->intervals.unreadable;
    part.intervals.missed -= begin->intervals.missed;
    return part;
}

/* Samples come in no strict order, so each is looked at. */
static struct error *write_samples(const struct feed *feed, uint64_t begin_ns, struct recording_writer *writer)
{
    struct sample batch[BATCH];
    struct error *error = NULL;
    for (uint32_t i = feed->first; i < feed->count && !error;) {
        uint32_t count = 0;
        for (; i < feed->count && count < BATCH; i++) {
            batch[count] = feed->samples[i];
            batch[count].time_ns -= begin_ns;
            count += feed->samples[i].time_ns >= begin_ns;
        }
        recording_writer_append(writer, batch, count);
        if (recording_writer_pending(writer) > WRITE_STEP)
            error = recording_writer_write(writer);
    }
    return error;
}

struct error *feed_write(struct feed *feed, int fd)
{
    cleanup_recording_writer struct recording_writer *writer = NULL;
    if (!feed->copy.profile)
        return error_create(ERROR_NOT_FOUND, "there is nothing to save yet");
    struct error *error = recording_writer_create(fd, &writer);
    if (error)
        return error;
    struct feed_mark begin = begin_of(feed);
    struct profile_info *info = profile_info(feed->copy.profile), whole = *info;
    *info = describe(&whole, &begin);
    recording_writer_gather(writer, feed->copy.profile);
    *info = whole;
    error = write_samples(feed, begin.time_ns, writer);
    return error ? error : recording_writer_finish(writer);
}
