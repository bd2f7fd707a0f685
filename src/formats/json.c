/* SPDX-License-Identifier: MIT */
/* One JSON object a line, for scripts: JSON.md, beside this file, tells the form. */
#include "writers.h"

#include "base/cleanup.h"
#include "facts.h"
#include "formats/formats.h"
#include "json_stream.h"
#include "numbers.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/sample.h"
#include "profile/view.h"

enum { JSON_VERSION = 1 }; /* to be raised when a reader of the form before would misread it */

/* What is told of the samples. */
struct json_format {
    struct json_stream json;
    struct profile *profile; /* without roots of threads and processes */
    uint32_t *nodes;         /* by node of the view's profile: that of ours */
    uint32_t *frames;        /* by frame of ours: its number in the file; PROFILE_NONE: not yet in it */
    uint32_t *stacks;        /* by node of ours, alike */
    uint32_t frame_count, stack_count;
    uint32_t *path;
    uint64_t sample_count, weight;
};

static void json_format_deinit(struct json_format *format)
{
    json_stream_deinit(&format->json);
    profile_destroy(format->profile);
    free(format->nodes);
    free(format->frames);
    free(format->stacks);
    free(format->path);
}

static struct error *json_format_init(struct json_format *format, const struct view *view, enum profile_lines lines)
{
    const struct profile_detail detail = {.lines = lines};
    struct error *error = profile_reduce_mapped(view_profile(view), &detail, &format->profile, &format->nodes);
    if (error)
        return error;
    uint32_t count;
    profile_nodes(format->profile, &count);
    format->frames = numbers_create(profile_frame_count(format->profile));
    format->stacks = numbers_create(count);
    format->path = malloc(count * sizeof(*format->path));
    return format->frames && format->stacks && format->path ? NULL : error_no_memory();
}

/* --- fields ------------------------------------------------------------------------------------------------------- */

static void begin_line(struct json_format *format, const char *type)
{
    json_raw(&format->json, "{\"type\":\"");
    json_raw(&format->json, type);
    json_raw(&format->json, "\"");
}

static void end_line(struct json_format *format)
{
    json_raw(&format->json, "}\n");
}

/* All names are our own, and need no escape. */
static void write_key(struct json_format *format, const char *key)
{
    json_raw(&format->json, ",\"");
    json_raw(&format->json, key);
    json_raw(&format->json, "\":");
}

static void write_number(struct json_format *format, const char *key, uint64_t number)
{
    write_key(format, key);
    json_number(&format->json, number);
}

/* Null for 0, which stands for what is not known. */
static void write_known(struct json_format *format, const char *key, uint64_t number)
{
    write_key(format, key);
    if (number != 0)
        json_number(&format->json, number);
    else
        json_raw(&format->json, "null");
}

/* Null for PROFILE_NONE. */
static void write_index(struct json_format *format, const char *key, uint32_t index)
{
    write_key(format, key);
    if (index != PROFILE_NONE)
        json_number(&format->json, index);
    else
        json_raw(&format->json, "null");
}

static void write_string(struct json_format *format, const char *key, uint32_t string)
{
    write_key(format, key);
    json_profile_string(&format->json, format->profile, string);
}

static void write_word(struct json_format *format, const char *key, const char *word)
{
    write_key(format, key);
    json_raw(&format->json, "\"");
    json_raw(&format->json, word);
    json_raw(&format->json, "\"");
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

static const char *word_of_lines(enum profile_lines lines)
{
    switch (lines) {
    case PROFILE_CURRENT_LINE:
        return "current";
    case PROFILE_FUNCTION_LINE:
        return "function";
    case PROFILE_NO_LINE:
        break;
    }
    return "none";
}

static void write_head(struct json_format *format, enum profile_lines lines)
{
    const struct profile_info *info = profile_get_info(format->profile);
    begin_line(format, "head");
    write_word(format, "format", "pyspyc samples");
    write_number(format, "version", JSON_VERSION);
    write_word(format, "program", "pyspyc " PYSPYC_VERSION);
    write_string(format, "recorder", info->recorder);
    write_string(format, "command", info->title);
    write_string(format, "selection", info->selection);
    write_word(format, "lines", word_of_lines(lines));
    write_number(format, "interval_ns", info->interval_ns);
    write_number(format, "duration_ns", info->duration_ns);
    write_known(format, "start_unix_us", info->start_unix_ns / 1000);
    end_line(format);
}

static void write_processes(struct json_format *format)
{
    uint32_t count;
    const struct profile_process *processes = profile_processes(format->profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        begin_line(format, "process");
        write_number(format, "id", i);
        write_known(format, "pid", processes[i].pid > 0 ? (uint64_t)processes[i].pid : 0);
        write_string(format, "command_line", processes[i].command_line);
        write_string(format, "python_version", processes[i].python_version);
        end_line(format);
    }
}

static void write_threads(struct json_format *format)
{
    uint32_t count;
    const struct profile_thread *threads = profile_threads(format->profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        begin_line(format, "thread");
        write_number(format, "id", i);
        write_number(format, "process", threads[i].process);
        write_known(format, "os_id", threads[i].os_id > 0 ? (uint64_t)threads[i].os_id : 0);
        write_known(format, "python_id", threads[i].id);
        write_string(format, "name", threads[i].name);
        write_key(format, "is_main");
        json_raw(&format->json, threads[i].is_main ? "true" : "false");
        end_line(format);
    }
}

static const char *word_of_kind(enum frame_kind kind)
{
    switch (kind) {
    case FRAME_PYTHON:
        return "python";
    case FRAME_NATIVE:
        return "native";
    case FRAME_KERNEL:
        return "kernel";
    case FRAME_THREAD:
    case FRAME_PROCESS:
    case FRAME_MARK:
    case FRAME_KINDS:
        break;
    }
    return "mark";
}

static void write_frame(struct json_format *format, uint32_t number)
{
    const struct profile_frame *frame = profile_frame(format->profile, number);
    format->frames[number] = format->frame_count++;
    begin_line(format, "frame");
    write_number(format, "id", format->frames[number]);
    write_word(format, "kind", word_of_kind(frame->kind));
    write_string(format, "name", frame->name);
    write_string(format, "file", frame->file);
    write_string(format, "short_file",
                 frame->file == PROFILE_NONE ? PROFILE_NONE : profile_short_file(format->profile, frame->file));
    write_known(format, "line", frame->line > 0 ? (uint64_t)frame->line : 0);
    write_known(format, "first_line", frame->first_line > 0 ? (uint64_t)frame->first_line : 0);
    end_line(format);
}

static void write_stack(struct json_format *format, const struct profile_node *nodes, uint32_t node)
{
    if (format->frames[nodes[node].frame] == PROFILE_NONE)
        write_frame(format, nodes[node].frame);
    format->stacks[node] = format->stack_count++;
    begin_line(format, "stack");
    write_number(format, "id", format->stacks[node]);
    write_index(format, "parent",
                nodes[node].parent == PROFILE_ROOT ? PROFILE_NONE : format->stacks[nodes[node].parent]);
    write_number(format, "frame", format->frames[nodes[node].frame]);
    end_line(format);
}

/* Writes what of a stack was not written before, callers first. */
static void need_stack(struct json_format *format, uint32_t node)
{
    uint32_t depth = 0, count;
    const struct profile_node *nodes = profile_nodes(format->profile, &count);
    for (; node != PROFILE_ROOT && format->stacks[node] == PROFILE_NONE; node = nodes[node].parent)
        format->path[depth++] = node;
    while (depth > 0)
        write_stack(format, nodes, format->path[--depth]);
}

static void write_states(struct json_format *format, uint32_t states)
{
    static const struct {
        enum sample_state state;
        const char *word;
    } words[] = {
        {SAMPLE_ACTIVE, "\"active\""},
        {SAMPLE_HAS_GIL, "\"gil\""},
        {SAMPLE_GIL_WAIT, "\"gil_wait\""},
        {SAMPLE_RECALLED, "\"recalled\""},
    };
    const char *separator = "";
    write_key(format, "states");
    json_raw(&format->json, "[");
    for (size_t i = 0; i < array_size(words); i++) {
        if (!(states & words[i].state))
            continue;
        json_raw(&format->json, separator);
        json_raw(&format->json, words[i].word);
        separator = ",";
    }
    json_raw(&format->json, "]");
}

static struct error *write_sample(void *context, const struct sample *sample)
{
    struct json_format *format = context;
    uint32_t node = format->nodes[sample->node];
    need_stack(format, node);
    begin_line(format, "sample");
    write_number(format, "time_ns", sample->time_ns);
    write_number(format, "thread", sample->thread);
    write_index(format, "stack", node == PROFILE_ROOT ? PROFILE_NONE : format->stacks[node]);
    write_number(format, "weight", sample->weight);
    write_states(format, sample->states);
    end_line(format);
    format->sample_count++;
    format->weight += sample->weight;
    return NULL;
}

static void write_end(struct json_format *format)
{
    const struct profile_info *info = profile_get_info(format->profile);
    begin_line(format, "end");
    write_number(format, "samples", format->sample_count);
    write_number(format, "weight", format->weight);
    write_known(format, "all_weight", info->all_samples);
    write_known(format, "cpu_ns", info->cpu_ns);
    json_raw(&format->json, ",");
    facts_write_json(&format->json, format->profile);
    end_line(format);
}

struct error *json_write(const struct view *view, const struct format_options *options, FILE *out)
{
    struct json_format format __attribute__((cleanup(json_format_deinit))) = {.json.out = out};
    struct error *error = json_format_init(&format, view, options->detail.lines);
    if (error)
        return error;
    write_head(&format, options->detail.lines);
    write_processes(&format);
    write_threads(&format);
    error = view_each_sample(view, write_sample, &format);
    if (error)
        return error;
    write_end(&format);
    return format.json.text.failed ? error_no_memory() : NULL;
}
