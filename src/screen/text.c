/* SPDX-License-Identifier: MIT */
#include "screen/text.h"

#include "base/escape.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "screen/model.h"
#include "states.h"

#include <inttypes.h>

static void append_states(const struct model *model, struct buffer *out)
{
    struct state_share states[STATE_COUNT];
    const struct model_load load = model_load(model);
    const char *separator = "";
    states_list(&load, states);
    for (int i = 0; i < STATE_COUNT; i++) {
        if (states[i].share < 0)
            continue;
        buffer_format(out, "%s%s %.0f%%", separator, states[i].name, 100 * states[i].share);
        separator = ", ";
    }
}

static void append_title(const struct model *model, struct buffer *out)
{
    const struct profile *profile = model_profile(model);
    const struct profile_info *info = profile_get_info(profile);
    size_t len;
    const char *title = profile_string(profile, info->title, &len);
    escape_visible(out, title, len);
}

static void append_row(const struct model *model, const struct model_row *row, bool full_filenames, struct buffer *out)
{
    cleanup_buffer struct buffer place = {0};
    buffer_format(out, "%6.2f%% %7.2f%% %8.2fs %8.2fs   %*s", model_percent(model, row->own_now),
                  model_percent(model, row->total_now), model_seconds(model, row->own_all),
                  model_seconds(model, row->total_all), (int)(row->depth < 64 ? 2 * row->depth : 128), "");
    model_append_name(model, row, out);
    model_append_place(model, row, full_filenames, &place);
    if (place.len > 0)
        buffer_format(out, " (%s)", buffer_text(&place));
    out->failed |= place.failed;
    buffer_append_char(out, '\n');
}

static uint32_t row_count(const struct model *model, uint32_t limit, const struct model_row **ret)
{
    uint32_t count;
    *ret = model_rows(model, &count);
    return limit > 0 && count > limit ? limit : count;
}

static struct error *put(const struct buffer *text, FILE *out)
{
    if (text->failed)
        return error_no_memory();
    fwrite(buffer_text(text), 1, text->len, out);
    return NULL;
}

struct error *text_write_table(const struct model *model, const struct model_settings *settings, uint32_t rows,
                               FILE *out)
{
    cleanup_buffer struct buffer text = {0};
    const struct model_row *row;
    if (!model_profile(model))
        return NULL;
    uint32_t count = row_count(model, rows, &row);
    append_title(model, &text);
    buffer_format(&text, "\n%.1f s; ", (double)model_whole_ns(model) / 1e9);
    append_states(model, &text);
    buffer_format(&text, "\n\n%7s %8s %9s %9s   %s\n", "%Own", "%Total", "OwnTime", "TotalTime",
                  settings->by_line ? "Line" : "Function");
    for (uint32_t i = 0; i < count; i++)
        append_row(model, &row[i], settings->full_filenames, &text);
    buffer_append_char(&text, '\n');
    return put(&text, out);
}

static void append_json_text(const char *key, const struct buffer *text, struct buffer *out)
{
    buffer_format(out, "\"%s\": ", key);
    if (text->len > 0)
        escape_json(out, text->data, text->len);
    else
        buffer_append_text(out, "null");
    out->failed |= text->failed;
}

static void append_json_string(const char *key, const struct profile *profile, uint32_t string, struct buffer *out)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    buffer_format(out, ", \"%s\": ", key);
    if (string == PROFILE_NONE)
        buffer_append_text(out, "null");
    else
        escape_json(out, text, len);
}

static const char *kind_of(const struct model *model, const struct model_row *row)
{
    static const char *const names[FRAME_KINDS] = {
        [FRAME_PYTHON] = "python", [FRAME_THREAD] = "thread", [FRAME_PROCESS] = "process",
        [FRAME_MARK] = "mark",     [FRAME_NATIVE] = "native", [FRAME_KERNEL] = "kernel",
    };
    if (row->frame == MODEL_NONE)
        return model_grouping(model) == MODEL_PROCESSES ? names[FRAME_PROCESS] : names[FRAME_THREAD];
    return names[profile_frame(model_profile(model), row->frame)->kind];
}

/* "thread" and "pid" of a row. */
static void append_json_group(const struct model *model, const struct model_row *row, struct buffer *out)
{
    const struct profile *profile = model_profile(model);
    uint32_t count, process = row->group;
    const char *separator = ", \"thread\": ";
    if (row->group != MODEL_NONE && model_grouping(model) == MODEL_THREADS) {
        const struct profile_thread *thread = &profile_threads(profile, &count)[row->group];
        process = thread->process;
        buffer_format(out, "%s%" PRId64, separator, thread->os_id);
        append_json_string("thread_name", profile, thread->name, out);
    } else {
        buffer_format(out, "%snull", separator);
    }
    if (row->group != MODEL_NONE)
        buffer_format(out, ", \"pid\": %" PRId64, profile_processes(profile, &count)[process].pid);
    else
        buffer_append_text(out, ", \"pid\": null");
}

static void append_json_place(const struct model *model, const struct model_row *row, struct buffer *out)
{
    const struct profile *profile = model_profile(model);
    const struct profile_frame none = {.file = PROFILE_NONE};
    const struct profile_frame *frame = row->frame == MODEL_NONE ? &none : profile_frame(profile, row->frame);
    int32_t line = model_is_by_line(model) || frame->first_line == 0 ? frame->line : frame->first_line;
    append_json_string("file", profile, frame->file, out);
    if (line != 0)
        buffer_format(out, ", \"line\": %d", line);
    else
        buffer_append_text(out, ", \"line\": null");
}

static void append_json_row(const struct model *model, const struct model_row *row, struct buffer *out)
{
    cleanup_buffer struct buffer name = {0};
    model_append_name(model, row, &name);
    buffer_append_char(out, '{');
    append_json_text("name", &name, out);
    append_json_place(model, row, out);
    buffer_format(out, ", \"kind\": \"%s\"", kind_of(model, row));
    append_json_group(model, row, out);
    buffer_format(out, ", \"depth\": %u, \"own\": %.2f, \"total\": %.2f, \"own_time\": %.3f, \"total_time\": %.3f}",
                  row->depth, model_percent(model, row->own_now), model_percent(model, row->total_now),
                  model_seconds(model, row->own_all), model_seconds(model, row->total_all));
}

static void append_json_load(const struct model *model, struct buffer *out)
{
    const struct model_load load = model_load(model);
    buffer_format(out,
                  "\"load\": {\"active\": %.3f, \"gil\": %.3f, \"gil_wait\": %.3f, \"gc\": %.3f, \"idle\": %.3f, "
                  "\"lost\": %.3f, \"cpu\": ",
                  load.active, load.gil, load.gil_wait, load.collecting, load.nobody, load.lost);
    if (load.cpu < 0)
        buffer_append_text(out, "null}");
    else
        buffer_format(out, "%.3f}", load.cpu);
}

struct error *text_write_json(const struct model *model, uint32_t rows, double time, FILE *out)
{
    cleanup_buffer struct buffer text = {0};
    const struct model_row *row;
    if (!model_profile(model))
        return NULL;
    uint32_t count = row_count(model, rows, &row);
    uint64_t interval_ns = model_interval_ns(model);
    buffer_format(&text, "{\"time\": %.3f, \"step\": %.3f, \"elapsed\": %.3f, \"rate\": %.2f, ", time,
                  (double)model_step_ns(model) / 1e9, (double)model_whole_ns(model) / 1e9,
                  interval_ns > 0 ? 1e9 / (double)interval_ns : 0);
    append_json_load(model, &text);
    buffer_append_text(&text, ", \"rows\": [");
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(&text, i > 0 ? ", " : "");
        append_json_row(model, &row[i], &text);
    }
    buffer_append_text(&text, "]}\n");
    return put(&text, out);
}
