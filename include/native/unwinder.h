/* SPDX-License-Identifier: MIT */
/*
 * Walking the C stack of a thread in a copy of its registers and of its stack. The thread may run on meanwhile: what is
 * not in the copy is read from the files of the modules, never from the target.
 *
 * Files have tables of how to get from each instruction to the caller. Code that has none, as just-in-time compilers
 * make it, is left by its frame pointer, or, when it is the innermost, by the nearest return address on the stack from
 * which all callers can be reached.
 */
#ifndef NATIVE_UNWINDER_H
#define NATIVE_UNWINDER_H

#include "base/error.h"
#include "native/modules.h"
#include "native/stack.h"

#include <stdint.h>

enum { NATIVE_FRAME_LIMIT = 16384 }; /* of one stack; what is further out is cut */

enum unwind_end {
    UNWIND_WHOLE, /* up to the thread's first function */
    UNWIND_CUT,   /* the copy, or the limit of frames, ended before */
    UNWIND_LOST,  /* there is no way to tell who called the last frame */
};

struct unwinder;

/* The modules must outlive the unwinder. */
struct error *unwinder_create(struct modules *modules, struct unwinder **ret);

/* Accepts NULL. */
void unwinder_destroy(struct unwinder *unwinder);

/* To be called when the modules were updated. */
void unwinder_update(struct unwinder *unwinder);

/*
 * Unwinds a stack, innermost frame first. What the modules' files say about an address is kept, and so are the last
 * stacks: a stack that ends where one of them did is only unwound as far as it has changed. Allocates nothing once that
 * is known. *ret_frames belongs to the unwinder and is valid until the next call. At least the innermost frame is
 * returned, unless memory runs out; then there are none.
 */
enum unwind_end unwinder_run(struct unwinder *unwinder, const struct native_stack *stack,
                             const struct native_frame **ret_frames, uint32_t *ret_count);

static inline void cleanup_unwinder_destroy(struct unwinder **unwinder)
{
    unwinder_destroy(*unwinder);
}

#define cleanup_unwinder __attribute__((cleanup(cleanup_unwinder_destroy)))

#endif
