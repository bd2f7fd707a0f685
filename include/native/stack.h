/* SPDX-License-Identifier: MIT */
/*
 * A thread's C stack: a copy of it, and the frames that are found in it.
 */
#ifndef NATIVE_STACK_H
#define NATIVE_STACK_H

#include "memory/memory.h"
#include "memory/registers.h"

#include <stdbool.h>
#include <stddef.h>

/* A copy of the used part of a thread's stack, from the stack pointer (or below) on. */
struct native_stack {
    struct registers registers;
    remote_addr start;
    const unsigned char *bytes;
    size_t len;
};

struct native_frame {
    remote_addr pc;  /* where it executes, or where it goes on after the call that it made */
    remote_addr sp;  /* the stack pointer in it */
    remote_addr cfa; /* where its own memory, [sp, cfa), ends: its caller's stack pointer; sp when that is not known */
    bool is_call;    /* the pc is that after a call, which is in the instruction before */
    bool is_guess;   /* nothing says that it called the frame before, but it is likely */
};

#endif
