/* SPDX-License-Identifier: MIT */
/*
 * speedscope's own form: src/lib/file-format-spec.ts of its version 1.25.0, and the JSON schema in its package.
 *
 * A profile in it is a list of stacks and one of weights, which have to be as long as each other. "All threads" comes
 * first: the samples of all threads one after another, so that its time is the threads' time added up, without what
 * nobody saw. Then each thread has a profile of its own on the recording's time axis, where an empty stack fills the
 * gaps: all of these are equally long, and the same instant is at the same place in each.
 */
#include "writers.h"

#include "base/cleanup.h"
#include "facts.h"
#include "formats/formats.h"
#include "json_stream.h"
#include "numbers.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/view.h"
#include "tile_file.h"
#include "timeline.h"

struct speedscope {
    struct json_stream json;
    struct timeline timeline;
    struct tile_file tiles;
    const struct format_options *options;
    uint64_t interval_ns;
    uint32_t *frames;        /* by frame of the timeline's profile: its number in the file; PROFILE_NONE: not in it */
    uint32_t frame_count;    /* in the file */
    uint32_t *thread_frames; /* of the view's profile, by thread and by process */
    uint32_t *process_frames;
    uint32_t *thread_roots; /* numbers of these in the file; PROFILE_NONE: not in it */
    uint32_t *process_roots;
    uint32_t *path; /* as long as the deepest stack */
    bool has_item;  /* in the list that is written */
};

static void speedscope_deinit(struct speedscope *speedscope)
{
    json_stream_deinit(&speedscope->json);
    timeline_deinit(&speedscope->timeline);
    tile_file_deinit(&speedscope->tiles);
    free(speedscope->frames);
    free(speedscope->thread_frames);
    free(speedscope->process_frames);
    free(speedscope->thread_roots);
    free(speedscope->process_roots);
    free(speedscope->path);
}

static struct error *speedscope_init(struct speedscope *speedscope, const struct view *view)
{
    struct error *error = timeline_init(&speedscope->timeline, view, speedscope->options->detail.lines);
    if (!error)
        error = tile_file_init(&speedscope->tiles, &speedscope->timeline);
    if (!error)
        error = timeline_group_frames(&speedscope->timeline, &speedscope->thread_frames, &speedscope->process_frames);
    if (error)
        return error;
    const struct profile *profile = speedscope->timeline.profile;
    uint32_t node_count, process_count;
    profile_nodes(profile, &node_count);
    profile_processes(profile, &process_count);
    speedscope->interval_ns = profile_get_info(profile)->interval_ns;
    speedscope->frames = numbers_create(profile_frame_count(profile));
    speedscope->thread_roots = numbers_create(speedscope->timeline.thread_count);
    speedscope->process_roots = numbers_create(process_count);
    speedscope->path = malloc(node_count * sizeof(*speedscope->path));
    bool has_memory = speedscope->frames && speedscope->thread_roots && speedscope->process_roots && speedscope->path;
    return has_memory ? NULL : error_no_memory();
}

static void begin_item(struct speedscope *speedscope, const char *separator)
{
    json_raw(&speedscope->json, speedscope->has_item ? separator : "");
    speedscope->has_item = true;
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

static uint32_t write_frame(struct speedscope *speedscope, const struct profile *profile, uint32_t number)
{
    struct json_stream *json = &speedscope->json;
    const struct profile_frame *frame = profile_frame(profile, number);
    begin_item(speedscope, ",\n");
    json_raw(json, "{\"name\":");
    json_name(json, profile, frame->name);
    if (frame->kind == FRAME_KERNEL)
        json_raw(json, ",\"file\":\"kernel\"");
    if (frame->file != PROFILE_NONE) {
        json_raw(json, ",\"file\":");
        json_profile_string(json, profile,
                            speedscope->options->full_filenames ? frame->file
                                                                : profile_short_file(profile, frame->file));
    }
    if (frame->line > 0) {
        json_raw(json, ",\"line\":");
        json_signed(json, frame->line);
    }
    json_raw(json, "}");
    return speedscope->frame_count++;
}

/* The roots that "All threads" has when they are asked for. */
static void write_root_frames(struct speedscope *speedscope)
{
    const struct profile *profile = view_profile(speedscope->timeline.view);
    const struct profile_detail *detail = &speedscope->options->detail;
    uint32_t process_count;
    profile_processes(profile, &process_count);
    for (uint32_t i = 0; detail->with_processes && i < process_count; i++) {
        if (speedscope->process_frames[i] != PROFILE_NONE)
            speedscope->process_roots[i] = write_frame(speedscope, profile, speedscope->process_frames[i]);
    }
    for (uint32_t i = 0; detail->with_threads && i < speedscope->timeline.thread_count; i++) {
        if (speedscope->thread_frames[i] != PROFILE_NONE)
            speedscope->thread_roots[i] = write_frame(speedscope, profile, speedscope->thread_frames[i]);
    }
}

static void write_frames(struct speedscope *speedscope)
{
    uint32_t count;
    const struct profile *profile = speedscope->timeline.profile;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    speedscope->has_item = false;
    json_raw(&speedscope->json, "\"shared\":{\"frames\":[\n");
    for (uint32_t i = PROFILE_ROOT + 1; i < count; i++) {
        uint32_t frame = nodes[i].frame;
        if (speedscope->frames[frame] == PROFILE_NONE)
            speedscope->frames[frame] = write_frame(speedscope, profile, frame);
    }
    write_root_frames(speedscope);
    json_raw(&speedscope->json, "\n]},\n");
}

/* --- profiles ----------------------------------------------------------------------------------------------------- */

static void write_root(struct speedscope *speedscope, uint32_t root, const char **separator)
{
    if (root == PROFILE_NONE)
        return;
    json_raw(&speedscope->json, *separator);
    json_number(&speedscope->json, root);
    *separator = ",";
}

/* Writes a stack, from the outermost frame on, behind what stands before it. */
static void write_stack(struct speedscope *speedscope, uint32_t node, const char *separator)
{
    uint32_t depth = 0, count;
    const struct profile_node *nodes = profile_nodes(speedscope->timeline.profile, &count);
    for (; node != PROFILE_ROOT; node = nodes[node].parent)
        speedscope->path[depth++] = speedscope->frames[nodes[node].frame];
    while (depth > 0) {
        json_raw(&speedscope->json, separator);
        json_number(&speedscope->json, speedscope->path[--depth]);
        separator = ",";
    }
    json_raw(&speedscope->json, "]");
}

static struct error *write_span_stack(void *context, const struct tile *tile)
{
    struct speedscope *speedscope = context;
    begin_item(speedscope, ",");
    json_raw(&speedscope->json, "[");
    write_stack(speedscope, tile->node, "");
    return NULL;
}

static struct error *write_span_weight(void *context, const struct tile *tile)
{
    struct speedscope *speedscope = context;
    begin_item(speedscope, ",");
    json_number(&speedscope->json, tile->end_ns - tile->start_ns);
    return NULL;
}

/* Samples of one thread that follow each other and have the same stack. */
struct series {
    struct speedscope *speedscope;
    void (*write)(struct speedscope *speedscope, const struct series *series);
    uint32_t thread;
    uint32_t node;
    uint64_t samples; /* 0: there are none yet */
};

static void write_series_stack(struct speedscope *speedscope, const struct series *series)
{
    uint32_t count;
    const struct profile_thread *threads = profile_threads(speedscope->timeline.profile, &count);
    const char *separator = "";
    json_raw(&speedscope->json, "[");
    write_root(speedscope, speedscope->process_roots[threads[series->thread].process], &separator);
    write_root(speedscope, speedscope->thread_roots[series->thread], &separator);
    write_stack(speedscope, series->node, separator);
}

/* Here the samples' own weights count, also where the time axis has no room for them. */
static void write_series_weight(struct speedscope *speedscope, const struct series *series)
{
    json_number(&speedscope->json, series->samples * speedscope->interval_ns);
}

static void write_series(const struct series *series)
{
    if (series->samples == 0)
        return;
    begin_item(series->speedscope, ",");
    series->write(series->speedscope, series);
}

static struct error *add_to_series(void *context, const struct tile *tile)
{
    struct series *series = context;
    if (tile->thread != series->thread || tile->node != series->node) {
        write_series(series);
        series->thread = tile->thread;
        series->node = tile->node;
        series->samples = 0;
    }
    series->samples += tile->weight;
    return NULL;
}

static struct error *write_all_series(struct speedscope *speedscope,
                                      void (*write)(struct speedscope *speedscope, const struct series *series))
{
    struct series series = {.speedscope = speedscope, .write = write};
    struct error *error = timeline_each_tile(&speedscope->timeline, add_to_series, &series);
    write_series(&series);
    return error;
}

static void begin_list(struct speedscope *speedscope, const char *opening)
{
    json_raw(&speedscope->json, opening);
    speedscope->has_item = false;
}

static const char profile_begin[] = "{\"type\":\"sampled\",\"unit\":\"nanoseconds\",\"name\":";

static void write_length(struct speedscope *speedscope, uint64_t length_ns)
{
    json_raw(&speedscope->json, ",\"startValue\":0,\"endValue\":");
    json_number(&speedscope->json, length_ns);
}

static struct error *write_all_threads(struct speedscope *speedscope)
{
    struct timeline *timeline = &speedscope->timeline;
    uint64_t samples = 0;
    for (uint32_t i = 0; i < timeline->thread_count; i++)
        samples += timeline->threads[i].samples;
    json_raw(&speedscope->json, profile_begin);
    json_raw(&speedscope->json, "\"All threads\"");
    write_length(speedscope, samples * speedscope->interval_ns);
    begin_list(speedscope, ",\n\"samples\":[");
    struct error *error = write_all_series(speedscope, write_series_stack);
    begin_list(speedscope, "],\n\"weights\":[");
    if (!error)
        error = write_all_series(speedscope, write_series_weight);
    json_raw(&speedscope->json, "]}");
    return error;
}

/* "thread (12): Worker"; behind it its process, where there are several. */
static void write_thread_name(struct speedscope *speedscope, uint32_t thread)
{
    const struct profile *profile = view_profile(speedscope->timeline.view);
    uint32_t process_count, thread_count;
    const struct profile_thread *threads = profile_threads(profile, &thread_count);
    cleanup_buffer struct buffer name = {0};
    const uint32_t frames[] = {speedscope->thread_frames[thread], speedscope->process_frames[threads[thread].process]};
    profile_processes(profile, &process_count);
    for (size_t i = 0; i < (process_count > 1 ? 2 : 1); i++) {
        size_t len = 0;
        const char *text =
            frames[i] == PROFILE_NONE ? "" : profile_string(profile, profile_frame(profile, frames[i])->name, &len);
        buffer_append_text(&name, i > 0 ? ", " : "");
        buffer_append(&name, text, len);
    }
    json_string(&speedscope->json, buffer_text(&name), name.len);
    speedscope->json.text.failed |= name.failed;
}

static struct error *write_thread(struct speedscope *speedscope, uint32_t thread)
{
    const struct tile_file *tiles = &speedscope->tiles;
    uint64_t end_ns = speedscope->timeline.end_ns;
    json_raw(&speedscope->json, ",\n");
    json_raw(&speedscope->json, profile_begin);
    write_thread_name(speedscope, thread);
    write_length(speedscope, end_ns);
    begin_list(speedscope, ",\n\"samples\":[");
    struct error *error = tile_file_each_span(tiles, thread, end_ns, write_span_stack, speedscope);
    begin_list(speedscope, "],\n\"weights\":[");
    if (!error)
        error = tile_file_each_span(tiles, thread, end_ns, write_span_weight, speedscope);
    json_raw(&speedscope->json, "]}");
    return error;
}

static void write_head(struct speedscope *speedscope)
{
    struct json_stream *json = &speedscope->json;
    const struct profile *profile = speedscope->timeline.profile;
    json_raw(json, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":\"pyspyc@");
    json_raw(json, PYSPYC_VERSION "\",\n\"name\":");
    facts_write_warned_title(&speedscope->json, profile);
    json_raw(json, ",\n\"pyspyc\":{");
    facts_write_json(json, profile);
    json_raw(json, "},\n\"activeProfileIndex\":0,\n");
}

struct error *speedscope_write(const struct view *view, const struct format_options *options, FILE *out)
{
    struct speedscope speedscope __attribute__((cleanup(speedscope_deinit))) = {.json.out = out, .options = options};
    struct error *error = speedscope_init(&speedscope, view);
    if (error)
        return error;
    write_head(&speedscope);
    write_frames(&speedscope);
    json_raw(&speedscope.json, "\"profiles\":[\n");
    error = write_all_threads(&speedscope);
    for (uint32_t i = 0; !error && i < speedscope.timeline.order_count; i++)
        error = write_thread(&speedscope, speedscope.timeline.order[i]);
    json_raw(&speedscope.json, "\n]}\n");
    if (!error && speedscope.json.text.failed)
        error = error_no_memory();
    return error;
}
