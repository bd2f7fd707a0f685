/* SPDX-License-Identifier: MIT */
#include "formats/dump_formats.h"

#include "base/buffer.h"
#include "base/escape.h"
#include "dump_wait.h"
#include "profile/process_dump.h"

#include <inttypes.h>

/* py-spy 0.4.2 src/stack_trace.rs and src/dump.rs: the names and the order of the fields. */

static void append_string(struct buffer *json, const struct dump_text *text)
{
    if (text->bytes)
        escape_json(json, text->bytes, text->len);
    else
        buffer_append_text(json, "null");
}

static const char *boolean(bool value)
{
    return value ? "true" : "false";
}

static void append_known(struct buffer *json, const char *name, int32_t number, bool is_known)
{
    if (is_known)
        buffer_format(json, ", \"%s\": %" PRId32, name, number);
    else
        buffer_format(json, ", \"%s\": null", name);
}

static const char *word_of_kind(enum frame_kind kind)
{
    static const char *const words[FRAME_KINDS] = {
        [FRAME_PYTHON] = "python", [FRAME_NATIVE] = "native", [FRAME_KERNEL] = "kernel", [FRAME_MARK] = "mark"};
    return words[kind];
}

static void append_variables(struct buffer *json, const struct dump_frame *frame)
{
    if (!frame->variables) {
        buffer_append_text(json, "null");
        return;
    }
    buffer_append_char(json, '[');
    for (uint32_t i = 0; i < frame->variable_count; i++) {
        const struct dump_variable *variable = &frame->variables[i];
        buffer_append_text(json, i > 0 ? ",\n        {\"name\": " : "\n        {\"name\": ");
        append_string(json, &variable->name);
        buffer_format(json, ", \"arg\": %s, \"repr\": ", boolean(variable->is_argument));
        append_string(json, &variable->value);
        buffer_format(json, ", \"unsteady\": %s}", boolean(variable->is_unsteady));
    }
    buffer_append_char(json, ']');
}

static void append_frame(struct buffer *json, const struct dump_frame *frame)
{
    const struct dump_text none = {0};
    bool is_in_library = frame->kind == FRAME_NATIVE && frame->line == 0 && frame->filename.len > 0;
    buffer_append_text(json, "\n      {\"name\": ");
    append_string(json, &frame->name);
    buffer_append_text(json, ", \"filename\": ");
    append_string(json, &frame->filename);
    buffer_append_text(json, ", \"module\": ");
    append_string(json, is_in_library ? &frame->filename : &none);
    buffer_append_text(json, ", \"short_filename\": ");
    append_string(json, &frame->short_filename);
    buffer_format(json, ", \"line\": %" PRId32, frame->line);
    append_known(json, "end_line", frame->end_line, frame->end_line > 0);
    append_known(json, "column", frame->column, frame->column >= 0);
    append_known(json, "end_column", frame->end_column, frame->end_column >= 0);
    buffer_append_text(json, ", \"locals\": ");
    append_variables(json, frame);
    buffer_format(json, ", \"is_entry\": %s, \"kind\": \"%s\"}", boolean(frame->is_entry), word_of_kind(frame->kind));
}

enum { ANCESTOR_LIMIT = 16 }; /* parents of a process that are told */

/* What is printed together. */
struct reading {
    const struct process_dump *dumps;
    uint32_t count;
    bool is_repeated;
};

static const struct process_dump *find_process(const struct reading *reading, int64_t pid)
{
    for (uint32_t i = 0; pid != 0 && i < reading->count; i++) {
        if (reading->dumps[i].pid == pid)
            return &reading->dumps[i];
    }
    return NULL;
}

static void append_process(struct buffer *json, const struct reading *reading, const struct process_dump *dump)
{
    int depth = 0;
    for (; dump && depth < ANCESTOR_LIMIT; depth++) {
        buffer_format(json, "{\"pid\": %" PRId64 ", \"command_line\": ", dump->pid);
        append_string(json, &dump->command_line);
        buffer_append_text(json, ", \"parent\": ");
        dump = find_process(reading, dump->parent);
    }
    buffer_append_text(json, "null");
    while (depth-- > 0)
        buffer_append_char(json, '}');
}

static void append_thread(struct buffer *json, const struct reading *reading, const struct process_dump *dump,
                          const struct dump_thread *thread)
{
    buffer_format(json, "\n  {\"pid\": %" PRId64 ", \"thread_id\": %" PRIu64 ", \"thread_name\": ", dump->pid,
                  thread->id);
    append_string(json, &thread->name);
    if (thread->os_id != 0)
        buffer_format(json, ", \"os_thread_id\": %" PRIu64, thread->os_id);
    else
        buffer_append_text(json, ", \"os_thread_id\": null");
    buffer_format(
        json, ", \"interpreter\": %" PRId64 ", \"active\": %s, \"owns_gil\": %s, \"waits_for_gil\": %s,\n   \"wait\": ",
        thread->interpreter, boolean(thread->is_active), boolean(thread->holds_gil), boolean(thread->waits_for_gil));
    dump_wait_append_json(json, &thread->wait);
    if (reading->is_repeated)
        buffer_format(json, ", \"unchanged\": %" PRIu32, thread->unchanged);
    buffer_append_text(json, ",\n   \"frames\": [");
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        buffer_append_text(json, i > 0 ? "," : "");
        append_frame(json, &thread->frames[i]);
    }
    buffer_append_text(json, "],\n   ");
    if (dump->core_file.bytes)
        buffer_format(json, "\"signal\": %d, ", thread->signal);
    buffer_append_text(json, "\"process_info\": ");
    append_process(json, reading, dump);
    buffer_append_char(json, '}');
}

static void append_threads(struct buffer *json, const struct reading *reading)
{
    bool is_first = true;
    buffer_append_char(json, '[');
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct process_dump *dump = &reading->dumps[i];
        for (uint32_t j = 0; j < dump->thread_count; j++) {
            buffer_append_text(json, is_first ? "" : ",");
            append_thread(json, reading, dump, &dump->threads[j]);
            is_first = false;
        }
    }
    buffer_append_text(json, "\n]");
}

static struct error *write_out(const struct buffer *json, FILE *out)
{
    if (json->failed)
        return error_no_memory();
    fwrite(buffer_text(json), 1, json->len, out);
    return NULL;
}

struct error *dump_format_json_of_all(const struct process_dump *dumps, uint32_t count, FILE *out)
{
    cleanup_buffer struct buffer json = {0};
    const struct reading reading = {.dumps = dumps, .count = count};
    append_threads(&json, &reading);
    buffer_append_char(&json, '\n');
    return write_out(&json, out);
}

struct error *dump_format_json(const struct process_dump *dump, FILE *out)
{
    return dump_format_json_of_all(dump, 1, out);
}

struct error *dump_format_json_line(const struct process_dump *dumps, uint32_t count, uint32_t reading_number,
                                    double time, FILE *out)
{
    cleanup_buffer struct buffer json = {0};
    const struct reading reading = {.dumps = dumps, .count = count, .is_repeated = true};
    buffer_format(&json, "{\"reading\": %" PRIu32 ", \"time\": %.6f, \"threads\": ", reading_number, time);
    append_threads(&json, &reading);
    buffer_append_char(&json, '}');
    /* Within strings there are no line ends: they are escaped. */
    for (size_t i = 0; i < json.len; i++)
        json.data[i] = json.data[i] == '\n' ? ' ' : json.data[i];
    buffer_append_char(&json, '\n');
    return write_out(&json, out);
}
