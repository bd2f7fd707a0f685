/* SPDX-License-Identifier: MIT */
#include "dump_builder.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "base/utf8.h"
#include "dump_variables.h"
#include "profile/process_dump.h"
#include "python/frame_details.h"
#include "python/runtime.h"
#include "python/walk.h"
#include "short_path.h"
#include "thread_title.h"

#include <string.h>

enum {
    TEXT_LIMIT = 64 * 1024 * 1024,        /* bytes of the names of all frames, beyond which they are cut, */
    THREAD_TEXT_LIMIT = 16 * 1024 * 1024, /* and of those of one thread, so that something is left for the others */
    THREAD_TEXT_LEAST = 64 * 1024,        /* which in any case have so many */
    CUT_LEN = 64,                         /* bytes that are left of a name then */
};

/* Copies a name; a long one is cut when there is no room for it. */
static struct dump_text copy_text(struct dump_builder *builder, const char *bytes, size_t len)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    cleanup_buffer struct buffer cut = {0};
    size_t most = builder->text_len > TEXT_LIMIT ? THREAD_TEXT_LEAST : THREAD_TEXT_LIMIT;
    if (len > CUT_LEN && builder->thread_text_len > most) {
        buffer_append(&cut, bytes, utf8_cut(bytes, len, CUT_LEN));
        buffer_append_text(&cut, ellipsis);
        if (cut.failed)
            return (struct dump_text){0};
        return dump_text_copy(cut.data, cut.len);
    }
    builder->text_len += len;
    builder->thread_text_len += len;
    return dump_text_copy(bytes, len);
}

static struct dump_text copy_name(struct dump_builder *builder, const struct python_frame *frame,
                                  const struct python_code *code)
{
    cleanup_buffer struct buffer name = {0};
    if (python_frame_method(builder->python, builder->memory, frame, &name))
        return copy_text(builder, name.data, name.len);
    return copy_text(builder, code->name, code->name_len);
}

static bool copy_frame(struct dump_builder *builder, const struct python_frame *frame, struct dump_frame *ret)
{
    const struct python_code *code = python_code(builder->python, frame->code);
    struct python_position position = {.column = PYTHON_NO_COLUMN, .end_column = PYTHON_NO_COLUMN};
    size_t start = short_path_start(builder->process, code->filename, code->filename_len);
    python_frame_position(builder->python, builder->memory, frame, &position);
    *ret = (struct dump_frame){
        .kind = code->filename_len == 0 ? FRAME_MARK : FRAME_PYTHON,
        .name = copy_name(builder, frame, code),
        .filename = copy_text(builder, code->filename, code->filename_len),
        .short_filename = copy_text(builder, code->filename + start, code->filename_len - start),
        .line = frame->line,
        .first_line = code->first_line,
        .end_line = position.end_line,
        .column = position.column,
        .end_column = position.end_column,
        .is_entry = frame->is_entry,
    };
    return ret->name.bytes && ret->filename.bytes && ret->short_filename.bytes;
}

/* How many frames of a thread are copied: what several samples have read of the threads is bounded as one's frames are.
 */
static uint32_t choose_count(const struct dump_builder *builder, const struct python_thread *thread)
{
    bool is_full = builder->frame_count >= PYTHON_FRAME_TOTAL_LIMIT;
    uint32_t most = is_full ? 0 : (PYTHON_FRAME_TOTAL_LIMIT - builder->frame_count) / 2 + 1;
    most = most > PYTHON_FRAME_LEAST ? most : PYTHON_FRAME_LEAST;
    return thread->frame_count <= most ? thread->frame_count : most;
}

struct dump_thread *dump_builder_append(struct dump_builder *builder, uint32_t place)
{
    struct process_dump *dump = builder->dump;
    if (!array_grow(&dump->threads, dump->thread_count, &builder->capacity, sizeof(*dump->threads)))
        return NULL;
    dump->threads[dump->thread_count] = (struct dump_thread){.place = place};
    return &dump->threads[dump->thread_count++];
}

bool dump_builder_copy(struct dump_builder *builder, const struct python_thread *thread, struct dump_thread *ret)
{
    cleanup_buffer struct buffer name = {0};
    bool is_main = ret->os_id != 0 && (int64_t)ret->os_id == builder->dump->pid && thread->interpreter_id == 0;
    builder->thread_text_len = 0;
    ret->id = thread->id;
    ret->interpreter = thread->interpreter_id;
    ret->holds_gil = thread->holds_gil;
    ret->failure = thread->status == PYTHON_OK ? NULL : python_status_text(thread->status);
    if (thread_title_find(builder->python, builder->memory, thread, is_main, &name))
        ret->name = dump_text_copy(buffer_text(&name), name.len);
    uint32_t count = choose_count(builder, thread);
    builder->frame_count += count;
    ret->frames = calloc(count > 0 ? count : 1, sizeof(*ret->frames));
    if (!ret->frames)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct python_frame frame = python_frames(builder->python)[thread->first_frame + i];
        bool is_cut = i + 1 == count && count < thread->frame_count;
        if (is_cut)
            frame = (struct python_frame){.code = PYTHON_CODE_CUT};
        ret->frame_count = i + 1;
        if (!copy_frame(builder, &frame, &ret->frames[i]))
            return false;
        if (builder->variables && !is_cut)
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
