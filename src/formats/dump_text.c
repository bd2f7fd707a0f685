/* SPDX-License-Identifier: MIT */
#include "formats/dump_formats.h"

#include "base/buffer.h"
#include "base/escape.h"
#include "dump_wait.h"
#include "profile/process_dump.h"
#include "source_line.h"

#include <inttypes.h>
#include <string.h>

static void append_visible(struct buffer *text, const struct dump_text *shown)
{
    escape_visible(text, shown->bytes, shown->len);
}

static const char *state_text(const struct dump_thread *thread)
{
    if (thread->is_stopped)
        return thread->holds_gil ? "stopped+gil" : "stopped";
    if (thread->waits_for_gil)
        return "waiting for the GIL";
    if (thread->holds_gil)
        return thread->is_active ? "active+gil" : "idle+gil";
    return thread->is_active ? "active" : "idle";
}

/* "signal SIGSEGV"; of one that has no name, its number. */
static void append_signal(struct buffer *text, int number)
{
    const char *name = sigabbrev_np(number);
    if (name)
        buffer_format(text, "signal SIG%s", name);
    else
        buffer_format(text, "signal %d", number);
}

/* Of a core file, in which nothing runs, only what stands out is said. */
static void append_state_in_core(struct buffer *text, const struct dump_thread *thread)
{
    if (thread->signal == 0 && !thread->holds_gil && !thread->waits_for_gil)
        return;
    buffer_append_text(text, " (");
    if (thread->signal != 0)
        append_signal(text, thread->signal);
    if (thread->signal != 0 && (thread->holds_gil || thread->waits_for_gil))
        buffer_append_char(text, '+');
    if (thread->holds_gil || thread->waits_for_gil)
        buffer_append_text(text, thread->holds_gil ? "gil" : "waiting for the GIL");
    buffer_append_char(text, ')');
}

static void append_state(struct buffer *text, const struct process_dump *dump, const struct dump_thread *thread)
{
    if (dump->core_file.bytes) {
        append_state_in_core(text, thread);
        return;
    }
    buffer_format(text, " (%s", state_text(thread));
    if (thread->unchanged > 0)
        buffer_format(text, ", unchanged for %" PRIu32 " reading%s", thread->unchanged,
                      thread->unchanged > 1 ? "s" : "");
    buffer_append_char(text, ')');
}

/* As Python's own tracebacks have it; of an expression of several lines the first one is shown. */
static void append_source(struct buffer *text, const struct dump_frame *frame)
{
    size_t start = 0, end = 0;
    if (frame->column >= 0 && frame->end_column >= 0) {
        start = (size_t)frame->column;
        end = frame->end_line > frame->line ? frame->source.len : (size_t)frame->end_column;
    }
    source_line_append(text, "        ", frame->source.bytes, frame->source.len, start, end);
}

static void append_place(struct buffer *text, const struct dump_frame *frame, const struct dump_format_options *options)
{
    if (frame->kind == FRAME_KERNEL)
        buffer_append_text(text, " (kernel)");
    if (frame->filename.len == 0)
        return;
    buffer_append_text(text, " (");
    append_visible(text, options->full_filenames ? &frame->filename : &frame->short_filename);
    if (frame->kind != FRAME_NATIVE || frame->line != 0) /* 0: the file is a library */
        buffer_format(text, ":%" PRId32, frame->line);
    buffer_append_char(text, ')');
}

/* The arguments, or the other variables, of a frame under a heading, if there are any. */
static void append_variables(struct buffer *text, const struct dump_frame *frame, const char *heading,
                             bool are_arguments)
{
    bool is_first = true;
    for (uint32_t i = 0; i < frame->variable_count; i++) {
        const struct dump_variable *variable = &frame->variables[i];
        if (variable->is_argument != are_arguments)
            continue;
        if (is_first)
            buffer_format(text, "        %s:\n", heading);
        is_first = false;
        buffer_append_text(text, "            ");
        append_visible(text, &variable->name);
        buffer_append_text(text, ": ");
        append_visible(text, &variable->value);
        buffer_append_text(text, variable->is_unsteady ? " (changed while it was read)\n" : "\n");
    }
}

static void append_frame(struct buffer *text, const struct dump_frame *frame, const struct dump_format_options *options)
{
    buffer_append_text(text, "    ");
    append_visible(text, &frame->name);
    append_place(text, frame, options);
    buffer_append_char(text, '\n');
    if (frame->source.bytes)
        append_source(text, frame);
    append_variables(text, frame, "Arguments", true);
    append_variables(text, frame, "Locals", false);
}

static void append_thread(struct buffer *text, const struct process_dump *dump, const struct dump_thread *thread,
                          const struct dump_format_options *options)
{
    if (thread->os_id != 0)
        buffer_format(text, "Thread %" PRIu64, thread->os_id);
    else
        buffer_format(text, "Thread 0x%" PRIX64, thread->id);
    append_state(text, dump, thread);
    if (thread->interpreter != 0)
        buffer_format(text, " in interpreter %" PRId64, thread->interpreter);
    if (thread->name.bytes) {
        buffer_append_text(text, ": \"");
        append_visible(text, &thread->name);
        buffer_append_char(text, '"');
    }
    buffer_append_char(text, '\n');
    dump_wait_append_text(text, dump, &thread->wait);
    for (uint32_t i = 0; i < thread->frame_count; i++)
        append_frame(text, &thread->frames[i], options);
    if (thread->failure)
        buffer_format(text, "    (%s could not be read: %s)\n",
                      thread->frame_count ? "parts of the stack" : "the stack", thread->failure);
}

struct error *dump_format_text(const struct process_dump *dump, const struct dump_format_options *options, FILE *out)
{
    cleanup_buffer struct buffer text = {0};
    if (dump->core_file.bytes) {
        buffer_append_text(&text, "Core file ");
        append_visible(&text, &dump->core_file);
        buffer_append_text(&text, " of process ");
    } else {
        buffer_append_text(&text, "Process ");
    }
    buffer_format(&text, "%" PRId64, dump->pid);
    if (dump->parent != 0)
        buffer_format(&text, ", child of %" PRId64, dump->parent);
    buffer_append_text(&text, ": ");
    append_visible(&text, &dump->command_line);
    buffer_format(&text, "\nPython v%s (", dump->python_version);
    append_visible(&text, &dump->executable);
    buffer_append_text(&text, ")\n\n");
    for (uint32_t i = 0; i < dump->thread_count; i++)
        append_thread(&text, dump, &dump->threads[i], options);
    if (text.failed)
        return error_no_memory();
    fwrite(buffer_text(&text), 1, text.len, out);
    return NULL;
}
