/* SPDX-License-Identifier: MIT */
/*
 * Chrome's trace event format, as a JSON array: "Trace Event Format" by N. Duca and D. Sinclair. chrome://tracing,
 * Perfetto and speedscope read it.
 *
 * A thread's stack is told by the frames that begin (B) and end (E), each of them once: what two samples that follow
 * each other have in common stays open. Events of a thread are in the order of time and nest. Between threads they are
 * not in order, as an end is known only when the thread's next sample is. Nothing but what is open is held in memory,
 * and a file that was cut off can be read up to there, as readers do not insist on the closing bracket.
 *
 * What a reader does with other fields of an event was looked up: speedscope 1.25.0 (src/import/trace-event.ts) makes
 * `args` part of a frame's name, so there are none; it takes an event that begins before one that ends when both
 * have one time and name, so a frame that begins where another one ends begins a nanosecond later. tid is the kernel's:
 * Perfetto has 32 bits for it, which Python's own numbers do not fit in.
 */
#include "writers.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/table.h"
#include "facts.h"
#include "formats/formats.h"
#include "json_stream.h"
#include "label.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "timeline.h"

/* Threads that had one number of the kernel, one after the other, are one track: readers see no difference. */
struct track {
    int64_t pid, tid;
    uint32_t node; /* whose frames are open */
    uint64_t end_ns;
};

/* Where a frame's label is in the text: in JSON, with its quotes. */
struct frame_label {
    size_t offset;
    size_t len; /* 0 while it was not made */
};

struct chrometrace {
    struct json_stream json;
    struct timeline timeline;
    const struct format_options *options;
    struct buffer labels;
    struct frame_label *frame_labels;
    struct track *tracks;
    uint32_t track_count;
    struct table track_table;
    uint32_t *track_of; /* by thread */
    uint32_t *depths;   /* by node */
    uint32_t *path;     /* as long as the deepest stack */
    bool has_event;
};

static void chrometrace_deinit(struct chrometrace *trace)
{
    json_stream_deinit(&trace->json);
    timeline_deinit(&trace->timeline);
    buffer_deinit(&trace->labels);
    free(trace->frame_labels);
    free(trace->tracks);
    table_deinit(&trace->track_table);
    free(trace->track_of);
    free(trace->depths);
    free(trace->path);
}

/* --- tracks ------------------------------------------------------------------------------------------------------- */

static bool track_equals(const void *context, uint32_t index, const void *key)
{
    const struct track *track = &((const struct chrometrace *)context)->tracks[index];
    const struct track *wanted = key;
    return track->pid == wanted->pid && track->tid == wanted->tid;
}

static bool find_track(struct chrometrace *trace, uint32_t thread)
{
    uint32_t count;
    const struct profile_thread *member = &profile_threads(trace->timeline.profile, &count)[thread];
    const struct track track = {
        .pid = timeline_pid(&trace->timeline, member->process),
        .tid = timeline_tid(&trace->timeline, thread),
        .node = PROFILE_ROOT,
    };
    uint64_t hash = hash_pair(hash_number((uint64_t)track.pid), hash_number((uint64_t)track.tid));
    uint32_t found = table_find(&trace->track_table, hash, track_equals, trace, &track);
    trace->track_of[thread] = found != TABLE_NONE ? found : trace->track_count;
    if (found != TABLE_NONE)
        return true;
    trace->tracks[trace->track_count] = track;
    return table_insert(&trace->track_table, hash, trace->track_count++);
}

static struct error *chrometrace_init(struct chrometrace *trace, const struct view *view)
{
    struct error *error = timeline_init(&trace->timeline, view, trace->options->detail.lines);
    if (error)
        return error;
    uint32_t node_count, thread_count = trace->timeline.thread_count;
    const struct profile_node *nodes = profile_nodes(trace->timeline.profile, &node_count);
    trace->frame_labels =
        calloc(profile_frame_count(trace->timeline.profile) + (size_t)1, sizeof(*trace->frame_labels));
    trace->tracks = calloc(thread_count + (size_t)1, sizeof(*trace->tracks));
    trace->track_of = calloc(thread_count + (size_t)1, sizeof(*trace->track_of));
    trace->depths = calloc(node_count, sizeof(*trace->depths));
    trace->path = malloc(node_count * sizeof(*trace->path));
    if (!trace->frame_labels || !trace->tracks || !trace->track_of || !trace->depths || !trace->path)
        return error_no_memory();
    for (uint32_t i = PROFILE_ROOT + 1; i < node_count; i++)
        trace->depths[i] = trace->depths[nodes[i].parent] + 1;
    for (uint32_t i = 0; i < trace->timeline.order_count; i++) {
        if (!find_track(trace, trace->timeline.order[i]))
            return error_no_memory();
    }
    return NULL;
}

/* --- who is who --------------------------------------------------------------------------------------------------- */

static void begin_event(struct chrometrace *trace, const char *phase)
{
    json_raw(&trace->json, trace->has_event ? ",\n{\"ph\":\"" : "{\"ph\":\"");
    json_raw(&trace->json, phase);
    trace->has_event = true;
}

static void write_ids(struct chrometrace *trace, int64_t pid, int64_t tid)
{
    json_raw(&trace->json, "\",\"pid\":");
    json_signed(&trace->json, pid);
    json_raw(&trace->json, ",\"tid\":");
    json_signed(&trace->json, tid);
}

static void begin_metadata(struct chrometrace *trace, int64_t pid, int64_t tid, const char *what)
{
    begin_event(trace, "M");
    write_ids(trace, pid, tid);
    json_raw(&trace->json, ",\"name\":\"");
    json_raw(&trace->json, what);
    json_raw(&trace->json, "\",\"args\":{");
}

static void write_process(struct chrometrace *trace, uint32_t process)
{
    uint32_t count;
    const struct profile_process *member = &profile_processes(trace->timeline.profile, &count)[process];
    int64_t pid = timeline_pid(&trace->timeline, process);
    begin_metadata(trace, pid, pid, "process_name");
    json_raw(&trace->json, "\"name\":");
    json_short_string(&trace->json, trace->timeline.profile, member->command_line);
    json_raw(&trace->json, "}}");
    begin_metadata(trace, pid, pid, "process_sort_index");
    json_raw(&trace->json, "\"sort_index\":");
    json_number(&trace->json, process);
    json_raw(&trace->json, "}}");
}

/*
 * What is known of the recording. The form is a list of events, so it is one of these, of a kind that viewers pass
 * over; labels of a process they show beside its name.
 */
static void write_facts(struct chrometrace *trace)
{
    const struct timeline *timeline = &trace->timeline;
    const struct profile *profile = timeline->profile;
    uint32_t count;
    const struct profile_thread *threads = profile_threads(profile, &count);
    int64_t pid = timeline->order_count > 0 ? timeline_pid(timeline, threads[timeline->order[0]].process) : 0;
    cleanup_buffer struct buffer warning = {0};
    begin_metadata(trace, pid, pid, "pyspyc");
    facts_write_json(&trace->json, profile);
    json_raw(&trace->json, "}}");
    facts_append_warning(&warning, &profile_get_info(profile)->intervals);
    if (warning.len > 0) {
        begin_metadata(trace, pid, pid, "process_labels");
        json_raw(&trace->json, "\"labels\":");
        json_string(&trace->json, buffer_text(&warning), warning.len);
        json_raw(&trace->json, "}}");
    }
    trace->json.text.failed |= warning.failed;
}

static void write_thread(struct chrometrace *trace, uint32_t thread, uint32_t place)
{
    uint32_t count;
    const struct profile_thread *member = &profile_threads(trace->timeline.profile, &count)[thread];
    const struct track *track = &trace->tracks[trace->track_of[thread]];
    if (member->name != PROFILE_NONE) {
        begin_metadata(trace, track->pid, track->tid, "thread_name");
        json_raw(&trace->json, "\"name\":");
        json_name(&trace->json, trace->timeline.profile, member->name);
        json_raw(&trace->json, "}}");
    }
    begin_metadata(trace, track->pid, track->tid, "thread_sort_index");
    json_raw(&trace->json, "\"sort_index\":");
    json_number(&trace->json, member->is_main ? 0 : place + (uint64_t)1);
    json_raw(&trace->json, "}}");
}

/* All that have samples. */
static struct error *write_members(struct chrometrace *trace)
{
    const struct timeline *timeline = &trace->timeline;
    uint32_t process_count, thread_count;
    const struct profile_thread *threads = profile_threads(timeline->profile, &thread_count);
    profile_processes(timeline->profile, &process_count);
    cleanup_free bool *is_written = calloc(process_count + (size_t)1, sizeof(*is_written));
    if (!is_written)
        return error_no_memory();
    for (uint32_t i = 0; i < timeline->order_count; i++) {
        uint32_t process = threads[timeline->order[i]].process;
        if (!is_written[process])
            write_process(trace, process);
        is_written[process] = true;
        write_thread(trace, timeline->order[i], i);
    }
    return NULL;
}

/* --- stacks ------------------------------------------------------------------------------------------------------- */

static void write_label(struct chrometrace *trace, uint32_t frame)
{
    struct frame_label *label = &trace->frame_labels[frame];
    if (label->len == 0) {
        cleanup_buffer struct buffer text = {0};
        label->offset = trace->labels.len;
        label_append(&text, trace->timeline.profile, frame, trace->options);
        escape_json(&trace->labels, buffer_text(&text), text.len);
        label->len = trace->labels.len - label->offset;
        trace->labels.failed |= text.failed;
    }
    fwrite_unlocked(buffer_text(&trace->labels) + label->offset, 1, label->len, trace->json.out);
}

static void write_event(struct chrometrace *trace, const struct track *track, const char *phase, uint32_t node,
                        uint64_t time_ns)
{
    uint32_t count;
    begin_event(trace, phase);
    write_ids(trace, track->pid, track->tid);
    json_raw(&trace->json, ",\"ts\":");
    json_decimal(&trace->json, time_ns, 3);
    json_raw(&trace->json, ",\"name\":");
    write_label(trace, profile_nodes(trace->timeline.profile, &count)[node].frame);
    json_raw(&trace->json, "}");
}

static uint32_t common_caller(const struct chrometrace *trace, uint32_t one, uint32_t other)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(trace->timeline.profile, &count);
    while (one != other) {
        if (trace->depths[one] >= trace->depths[other])
            one = nodes[one].parent;
        else
            other = nodes[other].parent;
    }
    return one;
}

/* Ends the frames that are open below a node, at the end of the track so far. */
static void close_frames(struct chrometrace *trace, struct track *track, uint32_t node)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(trace->timeline.profile, &count);
    for (; track->node != node; track->node = nodes[track->node].parent)
        write_event(trace, track, "E", track->node, track->end_ns);
}

static void open_frames(struct chrometrace *trace, struct track *track, uint32_t node, uint64_t time_ns)
{
    uint32_t depth = 0, count;
    const struct profile_node *nodes = profile_nodes(trace->timeline.profile, &count);
    for (uint32_t i = node; i != track->node; i = nodes[i].parent)
        trace->path[depth++] = i;
    while (depth > 0)
        write_event(trace, track, "B", trace->path[--depth], time_ns);
    track->node = node;
}

static struct error *write_tile(void *context, const struct tile *tile)
{
    struct chrometrace *trace = context;
    struct track *track = &trace->tracks[trace->track_of[tile->thread]];
    uint64_t start_ns = tile->start_ns > track->end_ns ? tile->start_ns : track->end_ns;
    if (start_ns >= tile->end_ns)
        return NULL;
    bool is_gap = start_ns > track->end_ns;
    uint32_t common = is_gap ? PROFILE_ROOT : common_caller(trace, track->node, tile->node);
    bool has_ended = !is_gap && track->node != common;
    close_frames(trace, track, common);
    open_frames(trace, track, tile->node, start_ns + has_ended);
    track->end_ns = tile->end_ns;
    return NULL;
}

struct error *chrometrace_write(const struct view *view, const struct format_options *options, FILE *out)
{
    struct chrometrace trace __attribute__((cleanup(chrometrace_deinit))) = {.json.out = out, .options = options};
    struct error *error = chrometrace_init(&trace, view);
    if (error)
        return error;
    json_raw(&trace.json, "[\n");
    write_facts(&trace);
    error = write_members(&trace);
    if (!error)
        error = timeline_each_tile(&trace.timeline, write_tile, &trace);
    for (uint32_t i = 0; !error && i < trace.track_count; i++)
        close_frames(&trace, &trace.tracks[i], PROFILE_ROOT);
    json_raw(&trace.json, "\n]\n");
    if (!error && (trace.json.text.failed || trace.labels.failed))
        error = error_no_memory();
    return error;
}
