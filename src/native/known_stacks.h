/* SPDX-License-Identifier: MIT */
/*
 * Stacks that were unwound before, each the last one with its end, and so of its thread. From one sample to the next
 * most of a stack stays as it is. Where a caller's frame has the registers that it had, and all memory further out has
 * the bytes that it had, its callers are those that it had. Only stacks are kept that are whole, and that lead outwards
 * with each step, so that what was read to find them is there.
 */
#ifndef KNOWN_STACKS_H
#define KNOWN_STACKS_H

#include "memory/kept_stacks.h"
#include "native/stack.h"

#include <stdbool.h>
#include <stdint.h>

#include <libunwind.h>

/*
 * What callers can be found by, besides the stack: the registers that a function gives back as it got them. System V
 * ABI, AMD64 supplement 1.0, section 3.2.1; AAPCS64 2023Q3, section 6.1.1.
 */
enum {
#if defined(__aarch64__)
    SAVED_COUNT = 12, /* x19 to x30 */
#else
    SAVED_COUNT = 6, /* rbx, rbp, r12 to r15 */
#endif
};

struct saved_registers {
    uint64_t values[SAVED_COUNT];
    bool is_known; /* all of them */
};

/* Those of the frame that a cursor is at. */
void saved_registers_read(unw_cursor_t *cursor, struct saved_registers *ret);

struct known_frames {
    struct native_frame *frames; /* outermost first, and the registers in each */
    struct saved_registers *saved;
    uint32_t count, frame_capacity, saved_capacity;
};

struct known_stacks {
    struct kept_stacks kept;
    struct known_frames frames[KEPT_STACK_LIMIT]; /* of those that are kept */
    /* The stack that is being unwound: */
    uint32_t current;
    remote_addr same_from; /* from here on, memory has the bytes that it had */
    uint32_t next;         /* of the known frames: how many have not been passed yet */
};

/* Accepts a zeroed struct, which knows no stack. */
void known_stacks_deinit(struct known_stacks *known);

void known_stacks_forget(struct known_stacks *known);

/* Begins with a stack, whose frames are going to be asked for from the innermost on. */
void known_stacks_begin(struct known_stacks *known, const struct native_stack *stack);

/*
 * Finds this frame and its callers, outermost first, and returns how many they are; 0: they are not known. Valid until
 * something is kept.
 */
uint32_t known_stacks_find(struct known_stacks *known, const struct native_frame *frame,
                           const struct saved_registers *saved, const struct native_frame **ret_frames);

/*
 * Makes known what was found out about the stack: frames and registers, innermost first, of which the last known_count
 * are the first ones that known_stacks_find() returned. Without memory nothing is known.
 */
void known_stacks_keep(struct known_stacks *known, const struct native_stack *stack, const struct native_frame *frames,
                       const struct saved_registers *saved, uint32_t count, uint32_t known_count);

#endif
