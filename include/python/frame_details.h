/* SPDX-License-Identifier: MIT */
/*
 * What is worth reading of a frame for a person who looks at one stack, but not for each of many samples.
 *
 *     python_keep_tables(python);                            before the first sample
 *     ... python_walk_thread(python, memory, thread) ...
 *     python_frame_position(python, memory, &frame, &position);
 *
 * The frames and the memory are those of the last sample.
 */
#ifndef PYTHON_FRAME_DETAILS_H
#define PYTHON_FRAME_DETAILS_H

#include "memory/memory.h"
#include "python/position.h"
#include "python/stack.h"

#include <stdbool.h>

struct buffer;
struct python;

/* From now on, what is decoded of code objects includes what python_frame_position() needs. */
void python_keep_tables(struct python *python);

/* From now on, walks say of entries where they are in the C stack: python_frame.anchor, from 3.10 on. */
void python_keep_anchors(struct python *python);

/* Which piece of the source a frame is evaluating. False when that is not known: before 3.11 it never is. */
bool python_frame_position(const struct python *python, struct memory *memory, const struct python_frame *frame,
                           struct python_position *ret);

/*
 * Replaces the buffer's content by a method's name with its class before it (UTF-8), for versions whose code objects do
 * not have it: found through the first argument, if that is called self or cls and the class that it leads to has this
 * very code. False when it cannot be told so, and from 3.11 on.
 */
bool python_frame_method(struct python *python, struct memory *memory, const struct python_frame *frame,
                         struct buffer *buffer);

#endif
