/* SPDX-License-Identifier: MIT */
/*
 * The Firefox profiler's processed form of version 60. The form is what src/types/profile.ts and src/types/markers.ts
 * of firefox-devtools/profiler say at commit eaae4b7, which made it; its readers bring a file of an older version up to
 * their own. In 60 the tables of stacks, frames and functions belong to all threads, as our call tree does; from 61 on
 * each version only adds what a Python program has no use for.
 *
 * Everything is a column. Those of samples and markers are written by a pass over the thread's tiles each, so that
 * nothing but the tables of distinct stacks is held in memory. A sample's time is where its tile begins; where
 * a gap begins, a sample without a stack stands. Neighbours are not put together: the viewer finds samples by their
 * times, and would find nothing inside a long one. Files have their whole paths, as it is them that the viewer opens.
 */
#include "firefox_tables.h"
#include "writers.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "facts.h"
#include "formats/formats.h"
#include "profile/losses.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/sample.h"
#include "profile/view.h"
#include "tile_file.h"

enum {
    VISIBLE_THREADS = 20, /* at first */
};

struct firefox {
    struct json_stream json;
    struct timeline timeline;
    struct tile_file tiles;
    struct firefox_tables tables;
    uint32_t *thread_frames; /* of the view's profile, by thread and by process */
    uint32_t *process_frames;
};

static void firefox_deinit(struct firefox *firefox)
{
    json_stream_deinit(&firefox->json);
    timeline_deinit(&firefox->timeline);
    tile_file_deinit(&firefox->tiles);
    firefox_tables_deinit(&firefox->tables);
    free(firefox->thread_frames);
    free(firefox->process_frames);
}

static struct error *firefox_init(struct firefox *firefox, const struct view *view, enum profile_lines lines)
{
    struct error *error = timeline_init(&firefox->timeline, view, lines);
    if (!error)
        error = tile_file_init(&firefox->tiles, &firefox->timeline);
    if (!error)
        error = firefox_tables_init(&firefox->tables, &firefox->timeline);
    if (!error)
        error = timeline_group_frames(&firefox->timeline, &firefox->thread_frames, &firefox->process_frames);
    return error;
}

/* A time or length as the form has all of them: in milliseconds. */
static void write_ms(struct firefox *firefox, uint64_t time_ns)
{
    json_decimal(&firefox->json, time_ns, 6);
}

/* --- samples ------------------------------------------------------------------------------------------------------ */

struct point {
    uint64_t time_ns;
    uint32_t stack;  /* PROFILE_NONE: none */
    uint32_t weight; /* samples */
    uint64_t cpu_ns; /* since the point before */
};

typedef void (*point_writer)(struct firefox *firefox, const struct point *point);

/* Makes points out of tiles. */
struct pointing {
    struct firefox *firefox;
    point_writer write;
    uint64_t count;
    uint64_t done_ns;
    uint64_t cpu_ns; /* since the last point */
};

static void write_point(struct pointing *pointing, uint64_t time_ns, uint32_t stack, uint32_t weight)
{
    const struct point point = {.time_ns = time_ns, .stack = stack, .weight = weight, .cpu_ns = pointing->cpu_ns};
    if (pointing->count++ > 0)
        json_raw(&pointing->firefox->json, ",");
    pointing->write(pointing->firefox, &point);
    pointing->cpu_ns = 0;
}

static struct error *add_point(void *context, const struct tile *tile)
{
    struct pointing *pointing = context;
    if (tile->start_ns > pointing->done_ns)
        write_point(pointing, pointing->done_ns, PROFILE_NONE, 0);
    write_point(pointing, tile->start_ns, firefox_stack(&pointing->firefox->tables, tile), tile->weight);
    pointing->done_ns = tile->end_ns;
    pointing->cpu_ns = firefox_is_idle(tile) ? 0 : tile->end_ns - tile->start_ns;
    return NULL;
}

static void write_point_stack(struct firefox *firefox, const struct point *point)
{
    if (point->stack == PROFILE_NONE)
        json_raw(&firefox->json, "null");
    else
        json_number(&firefox->json, point->stack);
}

static void write_point_time(struct firefox *firefox, const struct point *point)
{
    write_ms(firefox, point->time_ns);
}

static void write_point_weight(struct firefox *firefox, const struct point *point)
{
    json_number(&firefox->json, point->weight);
}

static void write_point_cpu(struct firefox *firefox, const struct point *point)
{
    json_number(&firefox->json, point->cpu_ns);
}

/*
 * What a thread did. Its CPU time is a guess: the whole tile of a sample in which it ran or was ready to. The viewer
 * draws by it how busy a thread was, and without it would draw an idle one as busy.
 */
static struct error *write_samples(struct firefox *firefox, uint32_t thread)
{
    static const struct {
        const char *head;
        point_writer write;
    } columns[] = {
        {"\"stack\":[", write_point_stack},
        {"\"time\":[", write_point_time},
        {"\"weight\":[", write_point_weight},
        {"\"threadCPUDelta\":[", write_point_cpu},
    };
    struct error *error = NULL;
    json_raw(&firefox->json, "\"samples\":{\"weightType\":\"samples\",\n");
    for (size_t i = 0; !error && i < array_size(columns); i++) {
        struct pointing pointing = {.firefox = firefox, .write = columns[i].write};
        json_raw(&firefox->json, columns[i].head);
        error = tile_file_each(&firefox->tiles, thread, add_point, &pointing);
        write_point(&pointing, pointing.done_ns, PROFILE_NONE, 0);
        json_raw(&firefox->json, "],\n");
        if (i + 1 == array_size(columns)) {
            json_raw(&firefox->json, "\"length\":");
            json_number(&firefox->json, pointing.count);
        }
    }
    json_raw(&firefox->json, "},\n");
    return error;
}

/* --- markers ------------------------------------------------------------------------------------------------------ */

struct marker {
    enum firefox_marker kind;
    uint64_t start_ns, end_ns;
};

typedef void (*marker_writer)(struct firefox *firefox, const struct marker *marker);

/* Makes markers out of tiles: one for as long as something goes on. */
struct marking {
    struct firefox *firefox;
    marker_writer write;
    uint64_t count;
    struct marker open[FIREFOX_MARKERS];
    bool is_open[FIREFOX_MARKERS];
};

static void end_marker(struct marking *marking, unsigned kind)
{
    if (!marking->is_open[kind])
        return;
    if (marking->count++ > 0)
        json_raw(&marking->firefox->json, ",");
    marking->write(marking->firefox, &marking->open[kind]);
    marking->is_open[kind] = false;
}

static struct error *add_to_markers(void *context, const struct tile *tile)
{
    struct marking *marking = context;
    for (unsigned kind = 0; kind < FIREFOX_MARKERS; kind++) {
        struct marker *marker = &marking->open[kind];
        bool goes_on = firefox_is_marked(&marking->firefox->tables, tile, kind);
        if (!goes_on || marker->end_ns != tile->start_ns)
            end_marker(marking, kind);
        if (!goes_on)
            continue;
        if (!marking->is_open[kind])
            *marker = (struct marker){.kind = kind, .start_ns = tile->start_ns};
        marker->end_ns = tile->end_ns;
        marking->is_open[kind] = true;
    }
    return NULL;
}

static void write_marker_name(struct firefox *firefox, const struct marker *marker)
{
    json_number(&firefox->json, firefox_marker_string(marker->kind));
}

static void write_marker_start(struct firefox *firefox, const struct marker *marker)
{
    write_ms(firefox, marker->start_ns);
}

static void write_marker_end(struct firefox *firefox, const struct marker *marker)
{
    write_ms(firefox, marker->end_ns);
}

/* 1: an interval, with a begin and an end. */
static void write_marker_phase(struct firefox *firefox, const struct marker *marker)
{
    (void)marker;
    json_raw(&firefox->json, "1");
}

static void write_marker_category(struct firefox *firefox, const struct marker *marker)
{
    json_number(&firefox->json, firefox_marker_category(marker->kind));
}

static void write_marker_data(struct firefox *firefox, const struct marker *marker)
{
    json_raw(&firefox->json, "{\"type\":\"");
    json_raw(&firefox->json, firefox_marker_name(marker->kind));
    json_raw(&firefox->json, "\"}");
}

static struct error *write_markers(struct firefox *firefox, uint32_t thread)
{
    static const struct {
        const char *head;
        marker_writer write;
    } columns[] = {
        {"\"name\":[", write_marker_name},         {"\"startTime\":[", write_marker_start},
        {"\"endTime\":[", write_marker_end},       {"\"phase\":[", write_marker_phase},
        {"\"category\":[", write_marker_category}, {"\"data\":[", write_marker_data},
    };
    struct error *error = NULL;
    json_raw(&firefox->json, "\"markers\":{");
    for (size_t i = 0; !error && i < array_size(columns); i++) {
        struct marking marking = {.firefox = firefox, .write = columns[i].write};
        json_raw(&firefox->json, columns[i].head);
        error = tile_file_each(&firefox->tiles, thread, add_to_markers, &marking);
        for (unsigned kind = 0; kind < FIREFOX_MARKERS; kind++)
            end_marker(&marking, kind);
        json_raw(&firefox->json, "],\n");
        if (i + 1 == array_size(columns)) {
            json_raw(&firefox->json, "\"length\":");
            json_number(&firefox->json, marking.count);
        }
    }
    json_raw(&firefox->json, "}");
    return error;
}

/* --- threads ------------------------------------------------------------------------------------------------------ */

/* The name of a root frame of the view's profile: "thread (12)". */
static void write_group(struct firefox *firefox, uint32_t frame)
{
    const struct profile *profile = view_profile(firefox->timeline.view);
    json_short_string(&firefox->json, profile,
                      frame == PROFILE_NONE ? PROFILE_NONE : profile_frame(profile, frame)->name);
}

static struct error *write_thread(struct firefox *firefox, uint32_t thread)
{
    struct json_stream *json = &firefox->json;
    const struct profile *profile = firefox->timeline.profile;
    uint32_t count;
    const struct profile_thread *member = &profile_threads(profile, &count)[thread];
    const struct profile_process *process = &profile_processes(profile, &count)[member->process];
    json_raw(json, "{\"name\":");
    if (member->name != PROFILE_NONE)
        json_name(json, profile, member->name);
    else
        write_group(firefox, firefox->thread_frames[thread]);
    json_raw(json, ",\"processName\":");
    if (process->command_line != PROFILE_NONE)
        json_short_string(json, profile, process->command_line);
    else
        write_group(firefox, firefox->process_frames[member->process]);
    json_raw(json, ",\"pid\":\"");
    json_signed(json, timeline_pid(&firefox->timeline, member->process));
    json_raw(json, "\",\"tid\":");
    json_signed(json, timeline_tid(&firefox->timeline, thread));
    json_raw(json, ",\"isMainThread\":");
    json_raw(json, member->is_main ? "true" : "false");
    json_raw(json, ",\"processType\":\"default\",\"processStartupTime\":0,\"processShutdownTime\":null,"
                   "\"registerTime\":0,\"unregisterTime\":null,\"pausedRanges\":[],\"showMarkersInTimeline\":true,\n");
    struct error *error = write_samples(firefox, thread);
    if (!error)
        error = write_markers(firefox, thread);
    json_raw(json, "}");
    return error;
}

static struct error *write_threads(struct firefox *firefox)
{
    struct error *error = NULL;
    json_raw(&firefox->json, "\"threads\":[\n");
    for (uint32_t i = 0; !error && i < firefox->timeline.order_count; i++) {
        json_raw(&firefox->json, i > 0 ? ",\n" : "");
        error = write_thread(firefox, firefox->timeline.order[i]);
    }
    json_raw(&firefox->json, "\n]");
    return error;
}

/* --- what it is --------------------------------------------------------------------------------------------------- */

static void write_extra_number(struct firefox *firefox, const char *label, uint64_t number, const char *separator)
{
    json_raw(&firefox->json, separator);
    json_raw(&firefox->json, "{\"label\":\"");
    json_raw(&firefox->json, label);
    json_raw(&firefox->json, "\",\"format\":\"integer\",\"value\":");
    json_number(&firefox->json, number);
    json_raw(&firefox->json, "}");
}

/* By cause, as an entry each: what was lost or seen less well. */
static void write_losses(struct firefox *firefox)
{
    uint32_t count;
    const struct profile_loss *losses = profile_losses(firefox->timeline.profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        json_raw(&firefox->json, ",{\"label\":");
        json_profile_string(&firefox->json, firefox->timeline.profile, losses[i].cause);
        json_raw(&firefox->json, ",\"format\":\"integer\",\"value\":");
        json_number(&firefox->json, losses[i].count);
        json_raw(&firefox->json, "}");
    }
}

static void write_extra(struct firefox *firefox)
{
    const struct profile_info *info = profile_get_info(firefox->timeline.profile);
    uint64_t samples = 0;
    for (uint32_t i = 0; i < firefox->timeline.thread_count; i++)
        samples += firefox->timeline.threads[i].samples;
    json_raw(&firefox->json, "\"extra\":[{\"label\":\"Sampling\",\"entries\":[");
    write_extra_number(firefox, "Samples", samples, "");
    write_extra_number(firefox, "Intervals with samples", info->intervals.ok, ",");
    write_extra_number(firefox, "Intervals without anybody to sample", info->intervals.idle, ",");
    write_extra_number(firefox, "Intervals lost: torn", info->intervals.torn, ",");
    write_extra_number(firefox, "Intervals lost: unreadable", info->intervals.unreadable, ",");
    write_extra_number(firefox, "Intervals lost: missed", info->intervals.missed, ",");
    write_losses(firefox);
    json_raw(&firefox->json, "]}],\n");
}

static void write_visible_threads(struct firefox *firefox)
{
    uint32_t count = firefox->timeline.order_count;
    json_raw(&firefox->json, "\"keepProfileThreadOrder\":true,\"initialVisibleThreads\":[");
    for (uint32_t i = 0; i < count && i < VISIBLE_THREADS; i++) {
        json_raw(&firefox->json, i > 0 ? "," : "");
        json_number(&firefox->json, i);
    }
    json_raw(&firefox->json, count > 0 ? "],\"initialSelectedThreads\":[0],\n" : "],\n");
}

static void write_meta(struct firefox *firefox)
{
    struct json_stream *json = &firefox->json;
    const struct profile *profile = firefox->timeline.profile;
    const struct profile_info *info = profile_get_info(profile);
    json_raw(json,
             "{\"meta\":{\"preprocessedProfileVersion\":60,\"version\":33,\"importedFrom\":\"pyspyc " PYSPYC_VERSION
             "\",\"product\":");
    facts_write_warned_title(&firefox->json, profile); /* what the viewer shows above a profile */
    json_raw(json, ",\n\"interval\":");
    write_ms(firefox, info->interval_ns);
    json_raw(json, ",\"startTime\":");
    write_ms(firefox, info->start_unix_ns);
    if (info->start_unix_ns > 0) {
        json_raw(json, ",\"endTime\":");
        write_ms(firefox, info->start_unix_ns + firefox->timeline.end_ns);
    }
    json_raw(json, ",\"profilingStartTime\":0,\"profilingEndTime\":");
    write_ms(firefox, firefox->timeline.end_ns);
    json_raw(json, ",\n\"processType\":0,\"stackwalk\":1,\"debug\":false,\"platform\":\"Linux\",\"symbolicated\":true,"
                   "\"symbolicationNotSupported\":true,\"usesOnlyOneStackType\":true,"
                   "\"sourceCodeIsNotOnSearchfox\":true,\n"
                   "\"sampleUnits\":{\"time\":\"ms\",\"eventDelay\":\"ms\",\"threadCPUDelta\":\"ns\"},\n");
    write_visible_threads(firefox);
    write_extra(firefox);
    firefox_write_kinds(json);
    json_raw(json, "},\n");
    firefox_write_libraries(&firefox->tables, json);
}

struct error *firefox_write(const struct view *view, const struct format_options *options, FILE *out)
{
    struct firefox firefox __attribute__((cleanup(firefox_deinit))) = {.json.out = out};
    struct error *error = firefox_init(&firefox, view, options->detail.lines);
    if (error)
        return error;
    write_meta(&firefox);
    firefox_tables_write(&firefox.tables, &firefox.json);
    error = write_threads(&firefox);
    json_raw(&firefox.json, "}\n");
    if (!error && firefox.json.text.failed)
        error = error_no_memory();
    return error;
}
