/* SPDX-License-Identifier: MIT */
#include "row_text.h"

#include "base/escape.h"
#include "profile/members.h"
#include "profile/profile.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_LIMIT = 400 }; /* bytes of a name or path that are looked at; they can be millions */

static void append_string(struct buffer *out, const struct profile *profile, uint32_t string)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    size_t shown = len < TEXT_LIMIT ? len : TEXT_LIMIT;
    while (shown < len && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80) /* not inside of a character */
        shown--;
    escape_visible(out, text, shown);
    buffer_append_text(out, shown < len ? "..." : "");
}

static void append_thread(struct buffer *out, const struct profile *profile, uint32_t number)
{
    uint32_t count;
    const struct profile_thread *thread = &profile_threads(profile, &count)[number];
    buffer_append_text(out, "thread");
    if (thread->os_id != 0)
        buffer_format(out, " %" PRId64, thread->os_id);
    else if (thread->id != 0)
        buffer_format(out, " 0x%" PRIx64, thread->id);
    if (thread->name != PROFILE_NONE) {
        buffer_append_text(out, " ");
        append_string(out, profile, thread->name);
    }
}

static void append_process(struct buffer *out, const struct profile *profile, uint32_t number)
{
    uint32_t count;
    const struct profile_process *process = &profile_processes(profile, &count)[number];
    buffer_format(out, "process %" PRId64, process->pid);
    if (process->command_line != PROFILE_NONE) {
        buffer_append_text(out, " ");
        append_string(out, profile, process->command_line);
    }
}

static void append_group(const struct row_scope *scope, const struct model_row *row, struct buffer *out)
{
    const struct profile *profile = scope->profile;
    if (scope->grouping == MODEL_PROCESSES)
        append_process(out, profile, row->group);
    else
        append_thread(out, profile, row->group);
}

void row_append_name(const struct row_scope *scope, const struct model_row *row, struct buffer *out)
{
    const struct profile *profile = scope->profile;
    if (row->frame == MODEL_NONE) {
        append_group(scope, row, out);
        return;
    }
    size_t before = out->len;
    append_string(out, profile, profile_frame(profile, row->frame)->name);
    if (out->len == before)
        buffer_append_text(out, "(no name)");
}

/* The line of a row: that which runs, or with which the function begins. */
static int32_t line_of(const struct row_scope *scope, const struct profile_frame *frame)
{
    return scope->by_line || frame->first_line == 0 ? frame->line : frame->first_line;
}

void row_append_place(const struct row_scope *scope, const struct model_row *row, bool full_filenames,
                      struct buffer *out)
{
    const struct profile *profile = scope->profile;
    if (row->frame == MODEL_NONE)
        return;
    const struct profile_frame *frame = profile_frame(profile, row->frame);
    if (frame->kind == FRAME_KERNEL)
        buffer_append_text(out, "kernel");
    if (!profile_frame_has_file(profile, frame))
        return;
    append_string(out, profile, full_filenames ? frame->file : profile_short_file(profile, frame->file));
    int32_t line = line_of(scope, frame);
    if (line != 0 && frame->line != 0)
        buffer_format(out, ":%d", line);
}

bool row_matches_text(const struct row_scope *scope, const struct model_row *row, const char *text)
{
    cleanup_buffer struct buffer shown = {0};
    row_append_name(scope, row, &shown);
    buffer_append_text(&shown, " ");
    row_append_place(scope, row, true, &shown);
    return strcasestr(buffer_text(&shown), text) != NULL;
}
