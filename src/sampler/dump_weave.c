/* SPDX-License-Identifier: MIT */
#include "dump_weave.h"

#include "base/cleanup.h"
#include "native/symbolizer.h"
#include "native_stacks.h"
#include "profile/process_dump.h"
#include "python/stack.h"
#include "short_path.h"

#include <stdlib.h>
#include <string.h>

static struct dump_text copy(const char *text)
{
    return dump_text_copy(text, strlen(text));
}

/* A frame that is none of Python's; its texts are NULL without memory. */
static struct dump_frame native_frame(const struct stack_frame *frame)
{
    struct dump_frame made = {.kind = frame->kind, .column = -1, .end_column = -1};
    if (frame->kind == FRAME_KERNEL) {
        made.name = copy(stack_frame_call_name(frame));
        made.filename = copy("");
        made.short_filename = copy("");
        return made;
    }
    const char *file = stack_frame_file(frame);
    made.line = frame->function->line;
    made.name = copy(frame->name);
    made.filename = copy(file);
    made.short_filename = copy(file + short_path_start_native(file, strlen(file), *frame->function->file != '\0'));
    return made;
}

static bool is_whole(const struct dump_frame *frame)
{
    return frame->name.bytes && frame->filename.bytes && frame->short_filename.bytes;
}

static bool is_native(const struct stack_frame *frame)
{
    return frame->kind == FRAME_NATIVE || frame->kind == FRAME_KERNEL;
}

/* The frames of a stack that was put together take the place of the thread's. */
static bool replace(struct dump_thread *thread, const struct stack_frame *frames, uint32_t count)
{
    struct dump_frame *woven = calloc(count > 0 ? count : 1, sizeof(*woven));
    bool has_memory = woven != NULL;
    for (uint32_t i = 0; has_memory && i < count; i++) {
        woven[i] = is_native(&frames[i]) ? native_frame(&frames[i]) : thread->frames[frames[i].index];
        has_memory = !is_native(&frames[i]) || is_whole(&woven[i]);
    }
    if (has_memory) {
        free(thread->frames);
        thread->frames = woven;
        thread->frame_count = count;
        return true;
    }
    for (uint32_t i = 0; woven && i < count; i++) {
        if (!is_native(&frames[i]))
            continue;
        free(woven[i].name.bytes);
        free(woven[i].filename.bytes);
        free(woven[i].short_filename.bytes);
    }
    free(woven);
    return false;
}

bool dump_weave(struct dump_thread *thread, struct native_stacks *stacks, const struct python_frame *python_frames,
                struct frame_merge_input *unwound)
{
    const struct stack_frame *frames;
    uint32_t count, python_count = thread->frame_count;
    cleanup_free struct merged_python *merged = calloc(python_count > 0 ? python_count : 1, sizeof(*merged));
    for (uint32_t i = 0; merged && i < python_count; i++)
        merged[i] = (struct merged_python){.anchor = python_frames[i].anchor, .is_entry = python_frames[i].is_entry};
    return merged && native_stacks_merge(stacks, unwound, merged, python_count, &frames, &count) != NATIVE_NO_MEMORY &&
           replace(thread, frames, count);
}
