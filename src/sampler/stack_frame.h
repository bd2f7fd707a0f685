/* SPDX-License-Identifier: MIT */
/*
 * One frame of a stack in which C frames stand between Python frames.
 */
#ifndef SAMPLER_STACK_FRAME_H
#define SAMPLER_STACK_FRAME_H

#include "memory/memory.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stdint.h>

struct native_function;

struct stack_frame {
    enum frame_kind kind;                   /* FRAME_PYTHON (or a mark), FRAME_NATIVE, FRAME_KERNEL */
    uint32_t index;                         /* FRAME_PYTHON: which of the thread's Python frames */
    uint32_t system_call;                   /* FRAME_KERNEL: its number */
    const struct native_function *function; /* FRAME_NATIVE, */
    const char *name;                       /* and what it is called */
};

/* What a Python frame has to do with C frames: see struct python_frame. */
struct merged_python {
    remote_addr anchor;
    bool is_entry;
};

/* A Python frame of a stack that C frames are to be put into. */
struct joined_python {
    struct merged_python merged;
    uint32_t frame; /* the profile's number */
};

/* The name of the system call of a FRAME_KERNEL. */
const char *stack_frame_call_name(const struct stack_frame *frame);

/* The file of a FRAME_NATIVE: with its source, or else with its code. */
const char *stack_frame_file(const struct stack_frame *frame);

#endif
