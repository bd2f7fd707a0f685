/* SPDX-License-Identifier: MIT */
#include "dump_builder.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "dump_variables.h"
#include "profile/process_dump.h"
#include "python/frame_details.h"
#include "python/runtime.h"
#include "python/walk.h"
#include "short_path.h"
#include "thread_title.h"

#include <string.h>

static struct dump_text copy_name(const struct dump_builder *builder, const struct python_frame *frame,
                                  const struct python_code *code)
{
    cleanup_buffer struct buffer name = {0};
    if (python_frame_method(builder->python, builder->memory, frame, &name))
        return dump_text_copy(name.data, name.len);
    return dump_text_copy(code->name, code->name_len);
}

static bool copy_frame(const struct dump_builder *builder, const struct python_frame *frame, struct dump_frame *ret)
{
    const struct python_code *code = python_code(builder->python, frame->code);
    struct python_position position = {.column = PYTHON_NO_COLUMN, .end_column = PYTHON_NO_COLUMN};
    size_t start = short_path_start(builder->process, code->filename, code->filename_len);
    python_frame_position(builder->python, builder->memory, frame, &position);
    *ret = (struct dump_frame){
        .kind = code->filename_len == 0 ? FRAME_MARK : FRAME_PYTHON,
        .name = copy_name(builder, frame, code),
        .filename = dump_text_copy(code->filename, code->filename_len),
        .short_filename = dump_text_copy(code->filename + start, code->filename_len - start),
        .line = frame->line,
        .first_line = code->first_line,
        .end_line = position.end_line,
        .column = position.column,
        .end_column = position.end_column,
        .is_entry = frame->is_entry,
    };
    return ret->name.bytes && ret->filename.bytes && ret->short_filename.bytes;
}

struct dump_thread *dump_builder_append(struct dump_builder *builder, uint32_t place)
{
    struct process_dump *dump = builder->dump;
    if (!array_grow(&dump->threads, dump->thread_count, &builder->capacity, sizeof(*dump->threads)))
        return NULL;
    dump->threads[dump->thread_count] = (struct dump_thread){.place = place};
    return &dump->threads[dump->thread_count++];
}

bool dump_builder_copy(const struct dump_builder *builder, const struct python_thread *thread, struct dump_thread *ret)
{
    cleanup_buffer struct buffer name = {0};
    bool is_main = ret->os_id != 0 && (int64_t)ret->os_id == builder->dump->pid && thread->interpreter_id == 0;
    ret->id = thread->id;
    ret->interpreter = thread->interpreter_id;
    ret->holds_gil = thread->holds_gil;
    ret->failure = thread->status == PYTHON_OK ? NULL : python_status_text(thread->status);
    if (thread_title_find(builder->python, builder->memory, thread, is_main, &name))
        ret->name = dump_text_copy(buffer_text(&name), name.len);
    ret->frames = calloc(thread->frame_count > 0 ? thread->frame_count : 1, sizeof(*ret->frames));
    if (!ret->frames)
        return false;
    const struct python_frame *frames = python_frames(builder->python);
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        ret->frame_count = i + 1;
        if (!copy_frame(builder, &frames[thread->first_frame + i], &ret->frames[i]))
            return false;
        if (builder->variables)
            dump_variables_take(builder->variables, thread->first_frame + i, builder->is_unsteady, &ret->frames[i]);
    }
    return true;
}

/* By the thread of the kernel, and for each of them the oldest interpreter first. */
static int compare_by_owner(const void *a, const void *b)
{
    const struct dump_thread *first = a, *second = b;
    uint64_t first_owner = first->os_id ? first->os_id : first->id;
    uint64_t second_owner = second->os_id ? second->os_id : second->id;
    if (first_owner != second_owner)
        return first_owner < second_owner ? -1 : 1;
    return first->place > second->place ? -1 : 1;
}

static int compare_by_age(const void *a, const void *b)
{
    const struct dump_thread *first = a, *second = b;
    if (first->owner_place != second->owner_place)
        return first->owner_place > second->owner_place ? -1 : 1;
    return first->place < second->place ? -1 : 1;
}

/*
 * Threads in the order in which they were started. One that is known to several interpreters stands where its oldest
 * state does, with the newest one first: that is where it is, unless that one has called back into an older one.
 */
static void sort_threads(struct process_dump *dump)
{
    if (dump->thread_count == 0)
        return;
    qsort(dump->threads, dump->thread_count, sizeof(*dump->threads), compare_by_owner);
    for (uint32_t i = 0; i < dump->thread_count; i++) {
        struct dump_thread *thread = &dump->threads[i], *previous = i > 0 ? thread - 1 : NULL;
        bool is_same = previous && previous->id == thread->id && previous->os_id == thread->os_id;
        thread->owner_place = is_same ? previous->owner_place : thread->place;
    }
    qsort(dump->threads, dump->thread_count, sizeof(*dump->threads), compare_by_age);
}

struct error *dump_builder_finish(struct dump_builder *builder)
{
    const struct python_runtime *runtime = python_runtime(builder->python);
    enum python_status listed = python_list_status(builder->python);
    builder->dump->list_failure = listed == PYTHON_OK ? NULL : python_status_text(listed);
    char version[PYTHON_VERSION_TEXT_LEN];
    python_version_format(&runtime->version, version);
    builder->dump->python_version = strdup(version);
    builder->dump->is_untested = runtime->is_untested;
    sort_threads(builder->dump);
    return builder->dump->python_version ? NULL : error_no_memory();
}
