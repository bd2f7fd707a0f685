/* SPDX-License-Identifier: MIT */
#include "profile/process_dump.h"

#include "base/cleanup.h"
#include "profile/filter.h"
#include "profile/members.h"
#include "profile/profile.h"

#include <string.h>

struct dump_text dump_text_copy(const char *bytes, size_t len)
{
    struct dump_text text = {.bytes = malloc(len + 1)};
    if (!text.bytes)
        return text;
    memcpy(text.bytes, bytes, len);
    text.bytes[len] = '\0';
    text.len = len;
    return text;
}

static void deinit_frame(struct dump_frame *frame)
{
    free(frame->name.bytes);
    free(frame->filename.bytes);
    free(frame->short_filename.bytes);
    free(frame->source.bytes);
    for (uint32_t i = 0; i < frame->variable_count; i++) {
        free(frame->variables[i].name.bytes);
        free(frame->variables[i].value.bytes);
    }
    free(frame->variables);
}

void dump_wait_deinit(struct dump_wait *wait)
{
    for (uint32_t i = 0; i < wait->file_count; i++)
        free(wait->files[i].target.bytes);
    free(wait->files);
    free(wait->target.bytes);
    *wait = (struct dump_wait){0};
}

static void deinit_thread(struct dump_thread *thread)
{
    for (uint32_t i = 0; i < thread->frame_count; i++)
        deinit_frame(&thread->frames[i]);
    free(thread->frames);
    free(thread->name.bytes);
    dump_wait_deinit(&thread->wait);
}

static void keep_innermost(struct dump_thread *thread)
{
    uint32_t kept = 0;
    while (kept < thread->frame_count && thread->frames[kept].kind != FRAME_PYTHON)
        kept++;
    while (thread->frame_count > kept + 1)
        deinit_frame(&thread->frames[--thread->frame_count]);
}

void process_dump_keep_innermost(struct process_dump *dump)
{
    for (uint32_t i = 0; i < dump->thread_count; i++)
        keep_innermost(&dump->threads[i]);
}

void process_dump_deinit(struct process_dump *dump)
{
    for (uint32_t i = 0; i < dump->thread_count; i++)
        deinit_thread(&dump->threads[i]);
    free(dump->threads);
    free(dump->core_file.bytes);
    free(dump->command_line.bytes);
    free(dump->executable.bytes);
    free(dump->python_version);
    *dump = (struct process_dump){0};
}

static uint32_t intern_text(struct profile *profile, const struct dump_text *text)
{
    return text->bytes ? profile_intern(profile, text->bytes, text->len) : PROFILE_NONE;
}

/* What a filter says of a frame, which the profile comes to know for that. False without memory. */
static bool judge(const struct filter *filter, struct profile *profile, const struct dump_frame *frame,
                  struct filter_verdict *ret)
{
    const struct profile_frame known = {
        .kind = frame->kind,
        .name = intern_text(profile, &frame->name),
        .file = frame->filename.len == 0 ? PROFILE_NONE : intern_text(profile, &frame->filename),
        .line = frame->line,
        .first_line = frame->first_line,
    };
    uint32_t number = profile_intern_frame(profile, &known);
    if (number == PROFILE_NONE)
        return false;
    *ret = filter_judge(filter, profile, number);
    return true;
}

/* Takes out the frames that are hidden, or further out than the last one that is a start, if one is needed. */
static bool filter_frames(struct dump_thread *thread, const struct filter_verdict *verdicts,
                          const struct filter *filter)
{
    uint32_t kept = 0, shown = filter_needs_start(filter) ? 0 : thread->frame_count;
    bool has_focus = !filter_needs_focus(filter), is_ignored = false;
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        has_focus |= verdicts[i].is_focus;
        is_ignored |= verdicts[i].is_ignored;
        shown = verdicts[i].is_start ? i + 1 : shown;
    }
    /* A thread that failed says why; one that is in no Python code has nothing to say. */
    bool is_failure = thread->frame_count == 0 && thread->failure && !filter_needs_start(filter);
    if (!has_focus || is_ignored || (shown == 0 && !is_failure))
        return false;
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        if (i < shown && !verdicts[i].is_hidden)
            thread->frames[kept++] = thread->frames[i];
        else
            deinit_frame(&thread->frames[i]);
    }
    thread->frame_count = kept;
    return true;
}

/* *ret tells whether the thread is still shown. */
static struct error *filter_thread(const struct process_dump *dump, struct dump_thread *thread,
                                   const struct filter *filter, struct profile *profile, bool *ret)
{
    const struct profile_thread member = {
        .os_id = (int64_t)thread->os_id,
        .id = thread->id,
        .name = intern_text(profile, &thread->name),
        .is_main = (int64_t)thread->os_id == dump->pid,
    };
    uint32_t number = profile_add_thread(profile, &member);
    cleanup_free struct filter_verdict *verdicts = calloc(thread->frame_count + (size_t)1, sizeof(*verdicts));
    if (number == PROFILE_NONE || !verdicts)
        return error_no_memory();
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        if (!judge(filter, profile, &thread->frames[i], &verdicts[i]))
            return error_no_memory();
    }
    *ret = filter_accepts_thread(filter, profile, number) && filter_frames(thread, verdicts, filter);
    return NULL;
}

struct error *process_dump_filter(struct process_dump *dump, const struct filter *filter)
{
    cleanup_profile struct profile *profile = NULL;
    uint32_t kept = 0, count = dump->thread_count;
    struct error *error = profile_create("", "", &profile);
    for (uint32_t i = 0; !error && i < count; i++) {
        bool is_shown = false;
        error = filter_thread(dump, &dump->threads[i], filter, profile, &is_shown);
        if (error)
            break;
        if (is_shown) {
            struct dump_thread thread = dump->threads[kept];
            dump->threads[kept++] = dump->threads[i];
            dump->threads[i] = thread;
        }
    }
    for (uint32_t i = kept; !error && i < count; i++)
        deinit_thread(&dump->threads[i]);
    if (!error) {
        dump->thread_count = kept;
        dump->hidden_thread_count += count - kept;
    }
    return error;
}
