/* SPDX-License-Identifier: MIT */
/*
 * C frames of the threads of a core file. Unlike in a live process, all of its memory stands still: so where a signal
 * handler ran on a stack of its own (sigaltstack(2)), as faulthandler's does, both stacks are unwound.
 */
#ifndef SAMPLER_CORE_STACKS_H
#define SAMPLER_CORE_STACKS_H

#include "frame_merge.h"
#include "native/unwinder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;
struct core_thread;
struct maps;
struct memory;
struct native_stacks;

struct core_stacks {
    struct native_stacks *native;
    struct memory *memory;
    const struct maps *maps;
    unsigned char *bytes; /* of the stack that is unwound */
    size_t capacity;
    size_t left;                 /* bytes that may be copied of all stacks yet */
    uint32_t frames_left;        /* that may be kept of all stacks yet */
    struct native_frame *frames; /* of a thread */
    uint32_t count, frame_capacity;
};

/* The core and the stacks must outlive it. */
void core_stacks_init(struct core_stacks *stacks, struct core *core, struct native_stacks *native);

/* Accepts a zeroed struct. */
void core_stacks_deinit(struct core_stacks *stacks);

/*
 * Unwinds the stack of a thread with registers, as far as the core has it; at least its innermost frame. Valid until
 * the next call. False without memory.
 */
bool core_stacks_unwind(struct core_stacks *stacks, const struct core_thread *thread, struct frame_merge_input *ret);

#define cleanup_core_stacks __attribute__((cleanup(core_stacks_deinit)))

#endif
