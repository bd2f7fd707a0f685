/* SPDX-License-Identifier: MIT */
#include "python/walk.h"

#include "base/cleanup.h"
#include "layout.h"
#include "python.h"
#include "read.h"

enum {
    /* CPython 3.12 Include/internal/pycore_frame.h: enum _frameowner; 3.11 has no C_STACK. */
    OWNER_THREAD = 0,
    OWNER_GENERATOR = 1,
    OWNER_C_STACK = 3,
};

struct error *python_create(struct python_runtime *runtime, struct python **ret)
{
    struct python *python = calloc(1, sizeof(*python));
    if (!python) {
        python_runtime_deinit(runtime);
        return error_no_memory();
    }
    python->runtime = *runtime;
    *runtime = (struct python_runtime){0};
    code_cache_init(&python->codes, &python->runtime);
    *ret = python;
    return NULL;
}

void python_destroy(struct python *python)
{
    if (!python)
        return;
    code_cache_deinit(&python->codes);
    python_runtime_deinit(&python->runtime);
    free(python->threads);
    free(python->frames);
    free(python);
}

const struct python_runtime *python_runtime(const struct python *python)
{
    return &python->runtime;
}

/* Where the GIL of an interpreter is. 0 when it has none yet. */
static enum python_status find_gil_of(const struct python *python, struct memory *memory, remote_addr interpreter,
                                      remote_addr *ret)
{
    const struct layout *layout = python->runtime.layout;
    if (layout->runtime.gil != LAYOUT_NONE) {
        *ret = python->runtime.address + layout->runtime.gil;
        return PYTHON_OK;
    }
    return status_of_memory(memory_read_u64(memory, interpreter + layout->interpreter.gil_pointer, ret));
}

static enum python_status first_interpreter(const struct python *python, struct memory *memory, remote_addr *ret)
{
    remote_addr head = python->runtime.address + python->runtime.layout->runtime.interpreters_head;
    return status_of_memory(memory_read_u64(memory, head, ret));
}

/* The main interpreter is the oldest one: the last of the list. */
static enum python_status main_interpreter(const struct python *python, struct memory *memory, remote_addr *ret)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr interpreter;
    enum python_status status = first_interpreter(python, memory, &interpreter);
    if (status != PYTHON_OK)
        return status;
    for (int i = 0; interpreter != 0 && i < PYTHON_INTERPRETER_LIMIT; i++) {
        remote_addr next;
        status = status_of_memory(memory_read_u64(memory, interpreter + layout->interpreter.next, &next));
        if (status != PYTHON_OK)
            return status;
        if (next == 0) {
            *ret = interpreter;
            return PYTHON_OK;
        }
        interpreter = next;
    }
    return PYTHON_BAD_THREAD;
}

enum python_status python_find_gil(const struct python *python, struct memory *memory, struct python_gil *ret)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr interpreter, gil;
    enum python_status status = main_interpreter(python, memory, &interpreter);
    if (status == PYTHON_OK)
        status = find_gil_of(python, memory, interpreter, &gil);
    if (status != PYTHON_OK)
        return status;
    if (gil == 0)
        return PYTHON_BAD_THREAD;
    *ret = (struct python_gil){
        .address = gil + layout->gil.last_holder,
        .len = layout->gil.switch_number + (uint32_t)sizeof(uint64_t) - layout->gil.last_holder,
    };
    return PYTHON_OK;
}

remote_addr python_last_gil_holder(const struct python *python, const void *gil_bytes, bool *ret_is_locked)
{
    const struct layout *layout = python->runtime.layout;
    uint16_t locked = (uint16_t)(layout->gil.locked - layout->gil.last_holder);
    *ret_is_locked = field_u32(gil_bytes, locked) == 1;
    return field_u64(gil_bytes, 0);
}

void python_begin_sample(struct python *python)
{
    code_cache_begin_sample(&python->codes);
    python->thread_count = 0;
    python->frame_count = 0;
}

/* The thread state that holds this interpreter's GIL now; 0 when nobody does. */
static enum python_status read_gil_holder(const struct python *python, struct memory *memory, remote_addr interpreter,
                                          remote_addr *ret)
{
    const struct layout *layout = python->runtime.layout;
    unsigned char bytes[LAYOUT_GIL_LEN];
    remote_addr gil;
    enum python_status status = find_gil_of(python, memory, interpreter, &gil);
    *ret = 0;
    if (status != PYTHON_OK || gil == 0)
        return status;
    status = status_of_memory(memory_read(memory, gil, bytes, layout->gil.locked + sizeof(uint32_t)));
    if (status == PYTHON_OK && field_u32(bytes, layout->gil.locked) == 1)
        *ret = field_u64(bytes, layout->gil.last_holder);
    return status;
}

/* Appends a thread, unless its creator has not started it yet. */
static enum python_status add_thread(struct python *python, remote_addr address, const unsigned char *head,
                                     remote_addr gil_holder)
{
    const struct layout *layout = python->runtime.layout;
    struct python_thread thread = {
        .address = address,
        .id = field_u64(head, layout->thread.id),
        .holds_gil = address == gil_holder,
    };
    if (layout->thread.native_id != LAYOUT_NONE) {
        thread.native_id = field_u64(head, layout->thread.native_id);
        if (thread.native_id == 0)
            return PYTHON_OK;
    }
    if (python->thread_count >= PYTHON_THREAD_LIMIT)
        return PYTHON_BAD_THREAD;
    if (!array_grow(&python->threads, python->thread_count, &python->thread_capacity, sizeof(*python->threads)))
        return PYTHON_NO_MEMORY;
    python->threads[python->thread_count++] = thread;
    return PYTHON_OK;
}

static enum python_status list_threads_of(struct python *python, struct memory *memory, remote_addr interpreter)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr gil_holder, thread;
    enum python_status status = read_gil_holder(python, memory, interpreter, &gil_holder);
    if (status == PYTHON_OK)
        status = status_of_memory(memory_read_u64(memory, interpreter + layout->interpreter.threads_head, &thread));
    for (int i = 0; status == PYTHON_OK && thread != 0; i++) {
        unsigned char head[LAYOUT_THREAD_LEN];
        status = status_of_memory(memory_read(memory, thread, head, sizeof(head)));
        if (status != PYTHON_OK)
            break;
        if (i >= PYTHON_THREAD_LIMIT || field_u64(head, layout->thread.interpreter) != interpreter)
            return PYTHON_BAD_THREAD;
        status = add_thread(python, thread, head, gil_holder);
        thread = field_u64(head, layout->thread.next);
    }
    return status;
}

enum python_status python_list_threads(struct python *python, struct memory *memory)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr interpreter;
    enum python_status status = first_interpreter(python, memory, &interpreter);
    for (int i = 0; status == PYTHON_OK && interpreter != 0; i++) {
        if (i >= PYTHON_INTERPRETER_LIMIT)
            return PYTHON_BAD_THREAD;
        status = list_threads_of(python, memory, interpreter);
        if (status == PYTHON_OK)
            status = status_of_memory(memory_read_u64(memory, interpreter + layout->interpreter.next, &interpreter));
    }
    return status;
}

struct python_thread *python_threads(struct python *python, uint32_t *ret_count)
{
    *ret_count = python->thread_count;
    return python->threads;
}

/* Where a thread's stack begins: its innermost frame, or 0. */
static enum python_status innermost_frame(const struct python *python, struct memory *memory,
                                          const struct python_thread *thread, remote_addr *ret)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr frame;
    enum memory_status status = memory_read_u64(memory, thread->address + layout->thread.frame, &frame);
    if (status == MEMORY_OK && frame != 0 && layout->thread.cframe_frame != LAYOUT_NONE)
        status = memory_read_u64(memory, frame + layout->thread.cframe_frame, &frame);
    if (status == MEMORY_OK)
        *ret = frame;
    return status_of_memory(status);
}

/* Offset in bytes of the instruction that a frame executes; negative when it has not started (not so from 3.13 on). */
static int64_t instruction_offset(const struct layout *layout, const unsigned char *frame, remote_addr code)
{
    if (layout->frame.instruction_unit != 0)
        return (int64_t)(int32_t)field_u32(frame, layout->frame.instruction) * layout->frame.instruction_unit;
    return (int64_t)(field_u64(frame, layout->frame.instruction) - (code + layout->code.instructions));
}

/* What a walk knows besides the frames themselves. */
struct walk {
    struct python_thread *thread;
    remote_addr stack_start,
        stack_end;          /* used part of the newest chunk of the thread's stack of frames; from 3.11 on */
    bool has_frame;         /* a frame was met */
    bool has_stack_frame;   /* a frame on the thread's stack was met */
    bool is_at_entry;       /* the last frame was called by C code */
    remote_addr remembered; /* Brent's check for cycles: a frame met earlier, */
    uint32_t steps, limit;  /* the steps since, and after how many to remember another one */
};

static bool is_cycle(struct walk *walk, remote_addr frame)
{
    if (frame == walk->remembered)
        return true;
    if (walk->steps++ == walk->limit) {
        walk->remembered = frame;
        walk->steps = 0;
        walk->limit = 2 * walk->limit + 1;
    }
    return false;
}

/*
 * Adds a frame, unless it is not complete yet: CPython 3.11 to 3.13 Include/internal/pycore_frame.h:
 * _PyFrame_IsIncomplete(). The interpreter does not show such frames either; some are its own and never get complete.
 */
static enum python_status add_frame(struct python *python, struct memory *memory, const unsigned char *frame,
                                    unsigned owner)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr address = field_u64(frame, layout->frame.code);
    uint32_t code;
    enum python_status status = code_cache_find(&python->codes, memory, address, &code);
    if (status != PYTHON_OK)
        return status;
    const struct code_entry *entry = &python->codes.entries[code];
    int64_t offset = instruction_offset(layout, frame, address);
    if (owner != OWNER_GENERATOR && offset < entry->start)
        return PYTHON_OK;
    if (!array_grow(&python->frames, python->frame_count, &python->frame_capacity, sizeof(*python->frames)))
        return PYTHON_NO_MEMORY;
    python->frames[python->frame_count++] = (struct python_frame){
        .code = code,
        .line = lines_find(&entry->lines, offset),
    };
    return PYTHON_OK;
}

/*
 * The innermost frame on the thread's stack lies in the used part of its newest chunk. Anything else is a frame that
 * was popped already, see is_caught_entering().
 */
static bool is_on_stack(struct walk *walk, remote_addr frame)
{
    if (walk->has_stack_frame)
        return true;
    walk->has_stack_frame = true;
    return frame >= walk->stack_start && frame < walk->stack_end;
}

/* The frame that was added last is the outermost of its evaluation loop. */
static void mark_entry(struct python *python, struct walk *walk)
{
    walk->is_at_entry = true;
    if (python->frame_count > walk->thread->first_frame)
        python->frames[python->frame_count - 1].is_entry = true;
}

/* Looks at one frame: adds it, or notes the shim that it is. */
static enum python_status visit_frame(struct python *python, struct memory *memory, struct walk *walk,
                                      remote_addr address, const unsigned char *frame)
{
    const struct layout *layout = python->runtime.layout;
    unsigned owner = layout->frame.owner == LAYOUT_NONE ? OWNER_GENERATOR : frame[layout->frame.owner];
    if (owner == OWNER_THREAD && !is_on_stack(walk, address))
        return PYTHON_IN_MOTION;
    if (layout->entry_format == ENTRY_SHIM && owner >= OWNER_C_STACK) {
        mark_entry(python, walk);
        return PYTHON_OK;
    }
    enum python_status status = add_frame(python, memory, frame, owner);
    if (status != PYTHON_OK)
        return status;
    walk->is_at_entry = false;
    if (layout->entry_format == ENTRY_ALWAYS ||
        (layout->entry_format == ENTRY_FLAG && frame[layout->frame.is_entry] != 0))
        mark_entry(python, walk);
    return PYTHON_OK;
}

/* Adds the frames from the innermost outwards. */
static enum python_status walk_frames(struct python *python, struct memory *memory, remote_addr frame,
                                      struct walk *walk)
{
    const struct layout *layout = python->runtime.layout;
    for (uint32_t count = 0; frame != 0; count++) {
        unsigned char head[LAYOUT_FRAME_LEN];
        if (frame % sizeof(uint64_t) != 0 || is_cycle(walk, frame) || layout->frame.size > sizeof(head))
            return PYTHON_BAD_FRAME;
        if (count >= PYTHON_FRAME_LIMIT || python->frame_count >= PYTHON_FRAME_TOTAL_LIMIT) {
            walk->thread->is_cut = true;
            return PYTHON_OK;
        }
        enum memory_status read_status = memory_read(memory, frame, head, layout->frame.size);
        if (read_status != MEMORY_OK)
            return read_status == MEMORY_FAULT ? PYTHON_BAD_FRAME : PYTHON_GONE;
        enum python_status status = visit_frame(python, memory, walk, frame, head);
        if (status != PYTHON_OK)
            return status;
        walk->has_frame = true;
        frame = field_u64(head, layout->frame.previous);
    }
    /* A generator's frame has no caller for a moment, before and after it runs. */
    bool is_whole = walk->is_at_entry || python->frame_count == walk->thread->first_frame;
    return is_whole ? PYTHON_OK : PYTHON_IN_MOTION;
}

/* Reads where the used part of the newest chunk of a thread's stack of frames is. */
static enum python_status read_stack_bounds(const struct python *python, struct memory *memory, struct walk *walk)
{
    uint64_t bounds[2];
    uint16_t offset = python->runtime.layout->thread.stack_chunk;
    if (offset == LAYOUT_NONE)
        return PYTHON_OK;
    enum memory_status status = memory_read(memory, walk->thread->address + offset, bounds, sizeof(bounds));
    if (status == MEMORY_OK) {
        walk->stack_start = bounds[0];
        walk->stack_end = bounds[1];
    }
    return status_of_memory(status);
}

/*
 * CPython 3.11 and 3.12 Python/ceval.c enter an evaluation loop by setting tstate->cframe before the frame in it, which
 * is whatever lay there on the C stack.
 */
static bool is_caught_entering(const struct layout *layout, const struct walk *walk, enum python_status status)
{
    return layout->thread.cframe_frame != LAYOUT_NONE && !walk->has_frame &&
           (status == PYTHON_BAD_FRAME || status == PYTHON_BAD_CODE);
}

enum python_status python_walk_thread(struct python *python, struct memory *memory, struct python_thread *thread)
{
    remote_addr frame;
    struct walk walk = {.thread = thread};
    thread->first_frame = python->frame_count;
    thread->frame_count = 0;
    enum python_status status = innermost_frame(python, memory, thread, &frame);
    if (status == PYTHON_OK)
        status = read_stack_bounds(python, memory, &walk);
    if (status == PYTHON_OK)
        status = walk_frames(python, memory, frame, &walk);
    if (is_caught_entering(python->runtime.layout, &walk, status))
        status = PYTHON_IN_MOTION;
    if (status == PYTHON_OK)
        thread->frame_count = python->frame_count - thread->first_frame;
    else
        python->frame_count = thread->first_frame;
    thread->status = status;
    return status;
}

const struct python_frame *python_frames(const struct python *python)
{
    return python->frames;
}

const struct python_code *python_code(const struct python *python, uint32_t code)
{
    return &python->codes.entries[code].code;
}
