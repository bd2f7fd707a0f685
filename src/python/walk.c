/* SPDX-License-Identifier: MIT */
#include "python/walk.h"

#include "base/cleanup.h"
#include "cycle.h"
#include "frame.h"
#include "layout.h"
#include "python.h"
#include "read.h"

/* CPython 3.14 Include/internal/pycore_stackref.h: PyStackRef_NULL_BITS: what a frame that was popped has for code. */
enum { NO_CODE = 1 };

enum {
    STEP_LIMIT = 4 * PYTHON_FRAME_LIMIT, /* frames looked at for one stack; what is not shown is among them */
    STEP_TOTAL_LIMIT = 4 * PYTHON_FRAME_TOTAL_LIMIT, /* likewise for all stacks of one sample, */
    STEP_LEAST = 4 * PYTHON_FRAME_LEAST,             /* and for one that comes when the others have taken all */
    LOOK_AHEAD_FRAMES = 128,                         /* whose code objects are fetched together, */
    LOOK_AHEAD_LIMIT = 16,                           /* and how often that is done for one stack */
    UNREADABLE_LIMIT = 16, /* frames of one stack that may have no code object that can be read */
};

struct error *python_create(struct python_runtime *runtime, struct python **ret)
{
    struct python *python = calloc(1, sizeof(*python));
    if (!python) {
        python_runtime_deinit(runtime);
        return error_no_memory();
    }
    python->runtime = *runtime;
    python->thread_limit = PYTHON_THREAD_LIMIT;
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
    last_walk_deinit(&python->last_walk);
    python_runtime_deinit(&python->runtime);
    free(python->threads);
    free(python->gils);
    free(python->frames);
    free(python);
}

const struct python_runtime *python_runtime(const struct python *python)
{
    return &python->runtime;
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

/*
 * Where the instructions begin that a frame's instruction points into. Free-threaded builds give each thread a copy of
 * its own: CPython 3.14 Include/internal/pycore_code.h: _PyCodeArray. Returns false while the copy is only being made.
 */
static bool find_instructions(const struct layout *layout, struct memory *memory, const unsigned char *frame,
                              remote_addr code, remote_addr *ret)
{
    remote_addr copies, start;
    uint64_t count;
    *ret = code + layout->code.instructions;
    if (layout->frame.tlbc_index == LAYOUT_NONE)
        return true;
    uint32_t index = field_u32(frame, layout->frame.tlbc_index);
    if (index == 0)
        return true;
    if (memory_read_u64(memory, code + layout->code.tlbc, &copies) != MEMORY_OK ||
        memory_read_u64(memory, copies, &count) != MEMORY_OK || index >= count ||
        memory_read_u64(memory, copies + (1 + (uint64_t)index) * sizeof(remote_addr), &start) != MEMORY_OK ||
        start == 0)
        return false;
    *ret = start;
    return true;
}

bool frame_find_offset(const struct layout *layout, struct memory *memory, const unsigned char *frame, remote_addr code,
                       int64_t *ret)
{
    remote_addr instructions;
    if (layout->frame.instruction_unit != 0) {
        *ret = (int64_t)(int32_t)field_u32(frame, layout->frame.instruction) * layout->frame.instruction_unit;
        return true;
    }
    if (!find_instructions(layout, memory, frame, code, &instructions))
        return false;
    *ret = (int64_t)(field_u64(frame, layout->frame.instruction) - instructions);
    return true;
}

/* What a walk knows besides the frames themselves. */
struct walk {
    struct python_thread *thread;
    remote_addr stack_start,
        stack_end;        /* used part of the newest chunk of the thread's stack of frames; from 3.11 on */
    bool has_frame;       /* a frame was met */
    bool has_stack_frame; /* a frame on the thread's stack was met */
    bool is_at_entry;     /* the last frame was called by C code */
    struct cycle cycle;
    uint32_t unreadable;              /* frames that could not be read */
    uint32_t frame_limit, step_limit; /* of this stack: so that no thread uses up what others need */
    int looks_ahead;
    remote_addr
        activation;    /* what the innermost evaluation loop that was not met yet has on the C stack; 0: not known */
    bool is_cut;       /* the stack is deeper than what is kept of it */
    remote_addr frame; /* the one that is being looked at */
};

/*
 * CPython 3.11 and 3.12 Python/ceval.c enter an evaluation loop by setting tstate->cframe before the frame in it, which
 * is whatever lay there on the C stack. So a first frame that is none is not broken, unless the thread sleeps: it does
 * not between these two.
 */
static bool is_entering(const struct layout *layout, const struct walk *walk)
{
    return layout->thread.cframe_frame != LAYOUT_NONE && !walk->has_frame && !walk->thread->is_asleep;
}

static uint32_t frames_of(const struct python *python, const struct walk *walk)
{
    return python->frame_count - walk->thread->first_frame;
}

/* Appends a frame; a mark when there is no room for one more. */
static enum python_status append_frame(struct python *python, struct walk *walk, uint32_t code, int32_t line)
{
    if (!array_grow(&python->frames, python->frame_count, &python->frame_capacity, sizeof(*python->frames)))
        return PYTHON_NO_MEMORY;
    walk->is_cut = frames_of(python, walk) >= walk->frame_limit;
    if (walk->is_cut)
        code = PYTHON_CODE_CUT;
    python->frames[python->frame_count++] = (struct python_frame){
        .address = walk->frame,
        .code = code,
        .line = walk->is_cut ? 0 : line,
    };
    return PYTHON_OK;
}

/* A frame that cannot be read costs a mark. Too many of them are no stack of Python frames any more. */
static enum python_status append_unreadable(struct python *python, struct walk *walk)
{
    if (++walk->unreadable > UNREADABLE_LIMIT)
        return PYTHON_BAD_FRAME;
    return append_frame(python, walk, PYTHON_CODE_UNREADABLE, 0);
}

/* What a frame says of itself. */
static struct walked_frame read_walked(const struct layout *layout, remote_addr address, const unsigned char *frame,
                                       unsigned owner)
{
    return (struct walked_frame){
        .address = address,
        .code = frame_code(layout, frame),
        .instruction = frame_instruction(layout, frame),
        .owner = (uint8_t)owner,
    };
}

/* Completes a frame that stands as it stood when it was walked last, with a code object that is still the same. */
static bool recall(struct python *python, struct walked_frame *frame)
{
    const struct walked_frame *last = last_walk_find(&python->last_walk, frame->address);
    if (!last || last->code != frame->code || last->instruction != frame->instruction || last->owner != frame->owner ||
        !code_cache_is_checked(&python->codes, last->entry, last->serial))
        return false;
    frame->entry = last->entry;
    frame->serial = last->serial;
    frame->line = last->line;
    return true;
}

/*
 * A frame's code object was not foreseen, so those of the frames further out may not have been either: all of them are
 * fetched together.
 */
static void look_ahead(struct python *python, struct memory *memory, struct walk *walk)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr codes[CODE_EXPECT_LIMIT], frame = walk->frame;
    uint32_t count = 0;
    if (walk->looks_ahead++ >= LOOK_AHEAD_LIMIT)
        return;
    for (int i = 0; i < LOOK_AHEAD_FRAMES && count < CODE_EXPECT_LIMIT; i++) {
        unsigned char head[LAYOUT_FRAME_LEN];
        const struct memory_range range = {frame, layout->frame.size};
        if (frame == 0 || memory_lacks(memory, &range) ||
            memory_read(memory, frame, head, layout->frame.size) != MEMORY_OK)
            break;
        const struct memory_range code = {frame_code(layout, head), layout->code.size};
        if (memory_lacks(memory, &code))
            codes[count++] = code.address;
        frame = field_u64(head, layout->frame.previous);
    }
    code_cache_expect(&python->codes, memory, codes, count);
}

/*
 * Completes a frame by its code object. *ret_is_complete becomes false when the function has not begun: CPython 3.11 to
 * 3.15 Include/internal/pycore_frame.h: _PyFrame_IsIncomplete(). The interpreter does not show such frames either; some
 * are its own and never get complete.
 */
static enum python_status look_up(struct python *python, struct memory *memory, struct walk *walk,
                                  const unsigned char *head, struct walked_frame *frame, bool *ret_is_complete)
{
    int64_t offset;
    const struct memory_range code = {frame->code, python->runtime.layout->code.size};
    *ret_is_complete = true;
    if (memory_lacks(memory, &code))
        look_ahead(python, memory, walk);
    enum python_status status = code_cache_find(&python->codes, memory, frame->code, &frame->entry);
    if (status != PYTHON_OK)
        return status;
    const struct code_entry *entry = &python->codes.entries[frame->entry];
    frame->serial = entry->code.serial;
    frame->line = entry->code.first_line;
    if (!frame_find_offset(python->runtime.layout, memory, head, frame->code, &offset))
        return PYTHON_OK;
    *ret_is_complete = frame->owner == OWNER_GENERATOR || offset >= entry->start;
    frame->line = lines_find(&entry->lines, offset);
    return PYTHON_OK;
}

/* The same for one that is only a view, which reading ends. */
static enum python_status look_up_view(struct python *python, struct memory *memory, struct walk *walk,
                                       const unsigned char *view, struct walked_frame *frame, bool *ret_is_complete)
{
    unsigned char head[LAYOUT_FRAME_LEN];
    memcpy(head, view, python->runtime.layout->frame.size);
    return look_up(python, memory, walk, head, frame, ret_is_complete);
}

/* Adds a frame, unless it is not complete yet. */
static enum python_status add_frame(struct python *python, struct memory *memory, struct walk *walk,
                                    const unsigned char *head, unsigned owner)
{
    const struct layout *layout = python->runtime.layout;
    struct walked_frame frame = read_walked(layout, walk->frame, head, owner);
    bool is_complete = true;
    if (!recall(python, &frame)) {
        enum python_status status = look_up_view(python, memory, walk, head, &frame, &is_complete);
        if (status == PYTHON_BAD_CODE && !is_entering(layout, walk))
            return append_unreadable(python, walk);
        if (status != PYTHON_OK || !is_complete)
            return status;
    }
    last_walk_add(&python->last_walk, &frame);
    return append_frame(python, walk, frame.entry, frame.line);
}

/*
 * The innermost frame on the thread's stack lies in the used part of its newest chunk. Anything else is a frame that
 * was popped already, see is_entering().
 */
static bool is_on_stack(struct walk *walk, remote_addr frame)
{
    if (walk->has_stack_frame)
        return true;
    walk->has_stack_frame = true;
    return frame >= walk->stack_start && frame < walk->stack_end;
}

/* From 3.14 on, a frame without code was popped, and so was everything that it called. */
static bool is_popped(const struct layout *layout, const unsigned char *frame)
{
    return layout->frame.code_tag != 0 && field_u64(frame, layout->frame.code) == NO_CODE;
}

/*
 * What an evaluation loop has on the C stack: its shim frame, or from 3.10 to 3.11 a struct in a chain of its own,
 * whose last element is in the thread state. (CPython 3.10 and 3.11 Include/cpython/pystate.h: CFrame, _PyCFrame.)
 */
static remote_addr take_anchor(const struct python *python, struct memory *memory, struct walk *walk)
{
    const struct layout *layout = python->runtime.layout;
    if (layout->entry_format == ENTRY_SHIM)
        return walk->frame;
    remote_addr anchor = walk->activation, thread = walk->thread->address;
    if (anchor == 0 || anchor - thread < OWN_CFRAME_DISTANCE ||
        memory_read_u64(memory, anchor + layout->thread.cframe_previous, &walk->activation) != MEMORY_OK)
        walk->activation = anchor = 0;
    return anchor;
}

/* The frame that was added last is the outermost of its evaluation loop. */
static void mark_entry(struct python *python, struct memory *memory, struct walk *walk)
{
    remote_addr anchor = python->keeps_anchors ? take_anchor(python, memory, walk) : 0;
    walk->is_at_entry = true;
    if (python->frame_count == walk->thread->first_frame)
        return;
    struct python_frame *entry = &python->frames[python->frame_count - 1];
    if (!entry->is_entry)
        entry->anchor = anchor;
    entry->is_entry = true;
}

/* Looks at one frame, of which there is a view: adds it, or notes the shim that it is. */
static enum python_status visit_frame(struct python *python, struct memory *memory, struct walk *walk,
                                      remote_addr address, const unsigned char *frame)
{
    const struct layout *layout = python->runtime.layout;
    unsigned owner = frame_owner(layout, frame);
    if (is_popped(layout, frame)) {
        python->frame_count = walk->thread->first_frame;
        walk->unreadable = 0;
        return PYTHON_OK;
    }
    if (owner == OWNER_THREAD && !is_on_stack(walk, address))
        return python->is_still ? PYTHON_OK : PYTHON_IN_MOTION;
    if (layout->entry_format == ENTRY_SHIM && owner >= OWNER_C_STACK) {
        mark_entry(python, memory, walk);
        return PYTHON_OK;
    }
    bool is_entry = layout->entry_format == ENTRY_ALWAYS ||
                    (layout->entry_format == ENTRY_FLAG && frame[layout->frame.is_entry] != 0);
    enum python_status status = add_frame(python, memory, walk, frame, owner);
    if (status != PYTHON_OK)
        return status;
    walk->is_at_entry = false;
    if (is_entry)
        mark_entry(python, memory, walk);
    return PYTHON_OK;
}

/* Makes *ret_view the first bytes of a frame, until something else is read: where they are, or read into `bytes`. */
static enum memory_status view_frame(const struct python *python, struct memory *memory, remote_addr frame,
                                     unsigned char *bytes, const unsigned char **ret_view)
{
    size_t len = python->runtime.layout->frame.size;
    const unsigned char *view = memory_view(memory, frame, len);
    enum memory_status status = view ? MEMORY_OK : memory_read(memory, frame, bytes, len);
    *ret_view = view ? view : bytes;
    return status;
}

/* Whether a frame stands as it stood when it was walked last, and is not the outermost of an evaluation loop. */
static bool is_settled(const struct python *python, struct memory *memory, const struct walked_frame *last,
                       remote_addr *ret_previous)
{
    const struct layout *layout = python->runtime.layout;
    const unsigned char *head = memory_view(memory, last->address, layout->frame.size);
    if (!head || frame_code(layout, head) != last->code || frame_instruction(layout, head) != last->instruction ||
        frame_owner(layout, head) != last->owner ||
        (layout->entry_format == ENTRY_FLAG && head[layout->frame.is_entry] != 0) ||
        !code_cache_is_checked(&python->codes, last->entry, last->serial))
        return false;
    *ret_previous = field_u64(head, layout->frame.previous);
    return true;
}

/* Whether frames can be passed as settled: nothing but their being there has to be noted of each. */
static bool may_be_settled(const struct python *python, const struct walk *walk)
{
    const struct layout *layout = python->runtime.layout;
    bool is_on_stack = walk->has_stack_frame || layout->frame.owner == LAYOUT_NONE;
    bool has_entries = layout->entry_format == ENTRY_ALWAYS;
    return is_on_stack && walk->thread->collecting_frame == 0 && !(has_entries && python->keeps_anchors);
}

/*
 * Adds the frames, from one on, that stand as they stood, each called by the next one: most of a deep stack. Returns
 * the address of the one that comes then.
 */
static remote_addr add_settled(struct python *python, struct memory *memory, struct walk *walk, remote_addr frame)
{
    const struct walked_frame *last;
    bool is_entry = python->runtime.layout->entry_format == ENTRY_ALWAYS;
    uint32_t known = last_walk_find_rest(&python->last_walk, frame, &last), count = 0;
    while (count < known && last[count].address == frame && frames_of(python, walk) < walk->frame_limit &&
           array_grow(&python->frames, python->frame_count, &python->frame_capacity, sizeof(*python->frames)) &&
           is_settled(python, memory, &last[count], &frame)) {
        python->frames[python->frame_count++] = (struct python_frame){
            .address = last[count].address,
            .code = last[count].entry,
            .line = last[count].line,
            .is_entry = is_entry,
        };
        count++;
    }
    if (count == 0)
        return frame;
    last_walk_add_rest(&python->last_walk, last, count);
    python->steps += count;
    walk->is_at_entry = is_entry;
    return frame;
}

/* Adds the frames from the innermost outwards. */
static enum python_status walk_frames(struct python *python, struct memory *memory, remote_addr frame,
                                      struct walk *walk)
{
    const struct layout *layout = python->runtime.layout;
    while (frame != 0 && !walk->is_cut) {
        unsigned char bytes[LAYOUT_FRAME_LEN];
        const unsigned char *head;
        walk->frame = frame;
        if (frame % sizeof(uint64_t) != 0 || cycle_meets(&walk->cycle, frame) || python->steps >= walk->step_limit)
            return PYTHON_BAD_FRAME;
        python->steps++;
        enum memory_status read_status = view_frame(python, memory, frame, bytes, &head);
        if (read_status != MEMORY_OK)
            return read_status == MEMORY_FAULT ? PYTHON_BAD_FRAME : PYTHON_GONE;
        remote_addr previous = field_u64(head, layout->frame.previous);
        enum python_status status = PYTHON_OK;
        if (frame == walk->thread->collecting_frame)
            status = append_frame(python, walk, PYTHON_CODE_COLLECTING, 0);
        if (status == PYTHON_OK)
            status = visit_frame(python, memory, walk, frame, head);
        if (status != PYTHON_OK)
            return status;
        walk->has_frame = true;
        frame = may_be_settled(python, walk) ? add_settled(python, memory, walk, previous) : previous;
    }
    /* A generator's frame has no caller for a moment, before and after it runs. */
    bool is_whole = walk->is_at_entry || walk->is_cut || frames_of(python, walk) == 0;
    if (!is_whole && !(python->is_still && walk->unreadable > 0))
        return PYTHON_IN_MOTION;
    return walk->unreadable > 0 ? PYTHON_BAD_CODE : PYTHON_OK;
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

/* Reads where the innermost evaluation loop is on the C stack, if that is wanted and written in a chain of its own. */
static enum python_status read_activation(const struct python *python, struct memory *memory, struct walk *walk)
{
    const struct layout *layout = python->runtime.layout;
    if (!python->keeps_anchors || layout->thread.cframe_previous == LAYOUT_NONE)
        return PYTHON_OK;
    return status_of_memory(memory_read_u64(memory, walk->thread->address + layout->thread.cframe, &walk->activation));
}

/* Where a chain breaks, a mark stands for all that is further out. */
static enum python_status mark_broken(struct python *python, struct walk *walk, enum python_status status)
{
    if (status == PYTHON_BAD_FRAME && append_frame(python, walk, PYTHON_CODE_UNREADABLE, 0) != PYTHON_OK)
        return PYTHON_NO_MEMORY;
    return status;
}

/*
 * A collection of garbage is marked further in than the frame in which it began. Where that is not known, it is taken
 * for the innermost one: the finalizers and callbacks that run meanwhile are then shown further out than the mark. At
 * the end of an interpreter there may be no frame.
 */
static enum python_status begin_in_collector(struct python *python, struct walk *walk, remote_addr innermost)
{
    if (!walk->thread->is_collecting)
        return PYTHON_OK;
    walk->thread->collecting_frame = innermost;
    if (innermost != 0)
        return PYTHON_OK;
    walk->is_at_entry = true;
    return append_frame(python, walk, PYTHON_CODE_COLLECTING, 0);
}

/* A thread of an old list may have ended, and another one may have its memory. */
static enum python_status check_thread(struct python *python, struct memory *memory, const struct python_thread *thread)
{
    if (!python->last_list.is_used || threads_is_there(python, memory, thread))
        return PYTHON_OK;
    python->last_list.is_whole = false;
    return PYTHON_IN_MOTION;
}

/* What a stack may have: half of what is left of a total, at most and at least so much. */
static uint32_t share_of(uint32_t total, uint32_t used, uint32_t most, uint32_t least)
{
    uint32_t share = used < total ? (total - used) / 2 : 0;
    share = share > least ? share : least;
    return share < most ? share : most;
}

/* Walks a thread's stack from a frame on. */
static enum python_status walk_from(struct python *python, struct memory *memory, struct python_thread *thread,
                                    remote_addr frame, struct walk *walk)
{
    uint32_t frames = share_of(PYTHON_FRAME_TOTAL_LIMIT, thread->first_frame, PYTHON_FRAME_LIMIT, PYTHON_FRAME_LEAST);
    uint32_t steps = share_of(STEP_TOTAL_LIMIT, python->steps, STEP_LIMIT, STEP_LEAST);
    *walk = (struct walk){
        .thread = thread,
        .frame_limit = frames,
        .step_limit = python->steps + steps,
    };
    python->frame_count = thread->first_frame;
    code_cache_begin_stack(&python->codes);
    last_walk_begin_thread(&python->last_walk, thread->address);
    enum python_status status = read_stack_bounds(python, memory, walk);
    if (status == PYTHON_OK)
        status = read_activation(python, memory, walk);
    if (status == PYTHON_OK)
        status = begin_in_collector(python, walk, frame);
    if (status == PYTHON_OK)
        status = walk_frames(python, memory, frame, walk);
    return status;
}

static bool is_broken(enum python_status status)
{
    return status == PYTHON_BAD_FRAME || status == PYTHON_BAD_CODE;
}

/*
 * Walks the stack of a thread whose innermost evaluation loop has no frame yet, see is_entering(): what lay on the C
 * stack in its place looked like one, and led nowhere. Then the stack is that of the loop which called it.
 */
static enum python_status walk_caller(struct python *python, struct memory *memory, struct python_thread *thread,
                                      struct walk *walk)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr frame;
    if (memory_read_u64(memory, thread->address + layout->thread.cframe, &frame) != MEMORY_OK ||
        memory_read_u64(memory, frame + layout->thread.cframe_previous, &frame) != MEMORY_OK ||
        memory_read_u64(memory, frame + layout->thread.cframe_frame, &frame) != MEMORY_OK)
        return PYTHON_BAD_FRAME;
    return walk_from(python, memory, thread, frame, walk);
}

/* The same, if that leads anywhere; else what was found first. */
static enum python_status walk_caller_or_again(struct python *python, struct memory *memory,
                                               struct python_thread *thread, remote_addr frame, struct walk *walk)
{
    if (walk_caller(python, memory, thread, walk) != PYTHON_OK)
        return walk_from(python, memory, thread, frame, walk);
    /* A thread that is about to run its first frame, as long as it does not stay like that. */
    return frames_of(python, walk) > 0 ? PYTHON_OK : PYTHON_IN_MOTION;
}

enum python_status python_walk_thread(struct python *python, struct memory *memory, struct python_thread *thread)
{
    remote_addr frame;
    struct walk walk = {.thread = thread};
    bool has_cframes = python->runtime.layout->thread.cframe_frame != LAYOUT_NONE;
    thread->first_frame = python->frame_count;
    thread->frame_count = 0;
    enum python_status status = check_thread(python, memory, thread);
    if (status == PYTHON_OK)
        status = innermost_frame(python, memory, thread, &frame);
    if (status == PYTHON_OK)
        status = walk_from(python, memory, thread, frame, &walk);
    /* A frame on the used part of the thread's stack is one, whatever is broken further out. */
    bool has_begun = (walk.has_stack_frame && walk.has_frame) || thread->is_asleep;
    if (is_broken(status) && has_cframes && !has_begun)
        status = walk_caller_or_again(python, memory, thread, frame, &walk);
    if (is_broken(status))
        status = is_entering(python->runtime.layout, &walk) ? PYTHON_IN_MOTION : mark_broken(python, &walk, status);
    bool is_kept = status == PYTHON_OK || is_broken(status) || (status == PYTHON_IN_MOTION && python->is_still);
    if (!is_kept)
        python->frame_count = thread->first_frame;
    thread->frame_count = python->frame_count - thread->first_frame;
    thread->status = status;
    return status;
}

void python_take_as_it_is(struct python *python)
{
    python->is_still = true;
}

const struct python_frame *python_frames(const struct python *python)
{
    return python->frames;
}

const struct python_code *python_code(const struct python *python, uint32_t code)
{
    static const struct python_code unreadable = {
        .serial = PYTHON_CODE_UNREADABLE, .name = "<unreadable>", .name_len = 12, .filename = ""};
    static const struct python_code collecting = {
        .serial = PYTHON_CODE_COLLECTING, .name = "<GC>", .name_len = 4, .filename = ""};
    static const struct python_code cut = {
        .serial = PYTHON_CODE_CUT, .name = "<deeper frames>", .name_len = 15, .filename = ""};
    if (code == PYTHON_CODE_UNREADABLE)
        return &unreadable;
    if (code == PYTHON_CODE_COLLECTING)
        return &collecting;
    return code == PYTHON_CODE_CUT ? &cut : &python->codes.entries[code].code;
}
