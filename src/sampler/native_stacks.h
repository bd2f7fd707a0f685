/* SPDX-License-Identifier: MIT */
/*
 * What it takes to make whole stacks of copies of C stacks, of one process: its modules, an unwinder, names, the merge.
 */
#ifndef SAMPLER_NATIVE_STACKS_H
#define SAMPLER_NATIVE_STACKS_H

#include "base/error.h"
#include "frame_merge.h"
#include "native/unwinder.h"
#include "python/version.h"

#include <stdbool.h>
#include <stdint.h>

struct core;
struct process;

/* How stacks came out. */
enum native_result {
    NATIVE_JOINED,    /* C and Python frames, put together */
    NATIVE_UNMATCHED, /* not all of the C frames, as nobody knows where they belong */
    NATIVE_NO_MEMORY,
};

struct native_stacks;

/* Opens the files that a process, which must outlive the stacks, has mapped. with_all: see struct frame_merge. */
struct error *native_stacks_of_process(const struct process *process, const struct python_version *version,
                                       bool with_all, struct native_stacks **ret);

/* The same for a core file. */
struct error *native_stacks_of_core(struct core *core, const struct python_version *version, bool with_all,
                                    struct native_stacks **ret);

/* Accepts NULL. */
void native_stacks_destroy(struct native_stacks *stacks);

/* Fills in what the copy of a C stack tells. Valid until the next call. */
void native_stacks_unwind(struct native_stacks *stacks, const struct native_stack *c_stack,
                          struct frame_merge_input *ret);

/*
 * Puts a thread's Python frames, innermost first, together with what was unwound; of input, the rest is filled in.
 * *ret_frames is valid until the next call.
 */
enum native_result native_stacks_merge(struct native_stacks *stacks, struct frame_merge_input *input,
                                       const struct merged_python *python_frames, uint32_t python_count,
                                       const struct stack_frame **ret_frames, uint32_t *ret_count);

static inline void cleanup_native_stacks_destroy(struct native_stacks **stacks)
{
    native_stacks_destroy(*stacks);
}

#define cleanup_native_stacks __attribute__((cleanup(cleanup_native_stacks_destroy)))

#endif
