/* SPDX-License-Identifier: MIT */
/*
 * What a thread is called.
 */
#ifndef SAMPLER_THREAD_TITLE_H
#define SAMPLER_THREAD_TITLE_H

#include <stdbool.h>

struct buffer;
struct memory;
struct python;
struct python_thread;

/*
 * Replaces the buffer's content by a thread's name; false when it has none. is_main: it is the process's first one, and
 * in its main interpreter. Reads a good deal of memory.
 */
bool thread_title_find(struct python *python, struct memory *memory, const struct python_thread *thread, bool is_main,
                       struct buffer *buffer);

#endif
