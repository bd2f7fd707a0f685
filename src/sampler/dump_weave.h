/* SPDX-License-Identifier: MIT */
/*
 * Puts C frames between the Python frames of a thread in a dump.
 */
#ifndef SAMPLER_DUMP_WEAVE_H
#define SAMPLER_DUMP_WEAVE_H

#include <stdbool.h>
#include <stdint.h>

struct dump_thread;
struct frame_merge_input;
struct native_stacks;
struct python_frame;

/*
 * Puts what was unwound of a thread's C stack between the Python frames that the dump has of it, which stay as they
 * are; python_frames: the same as they were walked. False without memory; then the thread is as it was.
 */
bool dump_weave(struct dump_thread *thread, struct native_stacks *stacks, const struct python_frame *python_frames,
                struct frame_merge_input *unwound);

#endif
