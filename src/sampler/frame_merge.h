/* SPDX-License-Identifier: MIT */
/*
 * Putting a thread's C frames and Python frames together into one stack.
 *
 * Each run of CPython's evaluation loop is one C frame, which stands for a group of Python frames: the calls that it
 * made without leaving itself. From 3.10 on each group has an address in just that C frame (python_frame.anchor), so
 * that the two stacks are put together by address: no symbol is needed, and where a C frame was not found its group
 * still has its place. To 3.9 evaluation loops are known by name, and counted.
 */
#ifndef SAMPLER_FRAME_MERGE_H
#define SAMPLER_FRAME_MERGE_H

#include "native/symbolizer.h"
#include "native/unwinder.h"
#include "stack_frame.h"

#include <stdbool.h>
#include <stdint.h>

struct method_names;
struct python_version;

/* A C frame that was met, and what the symbolizer says about it. */
struct named_frame {
    remote_addr pc;
    bool is_call;
    uint32_t count;
    const struct native_function *functions; /* NULL: nothing yet */
};

struct frame_merge {
    bool with_all; /* the interpreter's own machinery is shown, too */
    struct stack_frame *frames;
    uint32_t count, capacity;
    uint8_t *roles; /* enum python_role and 1, by a function's serial; 0: not known yet */
    uint32_t role_capacity;
    struct named_frame *named; /* the last ones, by how many frames are further out: most are there again */
    uint32_t named_capacity;
    struct method_names *methods; /* names of functions that have none; NULL: there are none */
    const char *interpreter;      /* path of the module with the evaluation loop; NULL: not known yet */
    bool has_failed;              /* no memory */
};

/* What is put together. */
struct frame_merge_input {
    const struct python_version *version;
    const struct merged_python *python_frames; /* innermost first */
    uint32_t python_count;
    struct symbolizer *symbolizer;
    const struct native_frame *native_frames; /* likewise */
    uint32_t native_count;
    uint32_t handler_count; /* of them, from the innermost on: those on a signal handler's own stack; no Python there */
    enum unwind_end end;
    remote_addr stack_start, stack_end; /* of the copy that was unwound; with handlers, of the last one */
    int64_t system_call;                /* see struct registers */
};

/* Accepts a zeroed struct. */
void frame_merge_deinit(struct frame_merge *merge);

/* To be called when symbolizer_update() was. */
void frame_merge_update(struct frame_merge *merge);

/*
 * Makes merge->frames both. False without memory. *ret_is_matched becomes false when there were evaluation loops of
 * which nobody knows whose they are: then all Python frames are there, and those C frames that they surely called.
 */
bool frame_merge_run(struct frame_merge *merge, const struct frame_merge_input *input, bool *ret_is_matched);

#endif
