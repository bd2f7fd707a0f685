/* SPDX-License-Identifier: MIT */
/*
 * Walking an interpreter: its thread states, who holds the GIL, and the frames of the threads that are asked for.
 *
 *     python_begin_sample(python);
 *     python_list_threads(python, memory);           once a sample
 *     python_walk_thread(python, memory, thread);    for each thread whose stack is wanted
 *
 * Everything that is returned is valid until the next python_begin_sample(). Nothing is allocated once the arrays have
 * grown to the program's size. The memory may be anything; every chain has a limit and is checked for cycles.
 */
#ifndef PYTHON_WALK_H
#define PYTHON_WALK_H

#include "base/error.h"
#include "memory/memory.h"
#include "python/code.h"
#include "python/stack.h"
#include "python/status.h"

#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct python_runtime;

struct python;

/* Takes the runtime over, also on failure. */
struct error *python_create(struct python_runtime *runtime, struct python **ret);

/* Accepts NULL. */
void python_destroy(struct python *python);

const struct python_runtime *python_runtime(const struct python *python);

void python_begin_sample(struct python *python);

/*
 * Says that the memory does not change any more, so that there is nothing to be had by reading again: a stack that was
 * caught in the middle of a call or return keeps the frames that could be read.
 */
void python_take_as_it_is(struct python *python);

/*
 * Says how many threads the kernel has of the process. Far more thread states than that, even if each is known to
 * several interpreters and some are left over of threads that ended, are no list of threads.
 */
void python_limit_threads(struct python *python, uint32_t kernel_threads);

/* Whether the last list ended since there were more than that: the kernel may have made more. */
bool python_is_thread_limit_met(const struct python *python);

/*
 * Reads all interpreters' lists of threads, newest interpreter and newest thread first, and their GILs. When a list
 * breaks off at the same place again and again, the threads in front of it are listed, and python_list_status() says
 * why there may be more.
 */
enum python_status python_list_threads(struct python *python, struct memory *memory);
enum python_status python_list_status(const struct python *python);
struct python_thread *python_threads(struct python *python, uint32_t *ret_count);
const struct python_gil *python_gils(const struct python *python, uint32_t *ret_count);

/*
 * Lets python_list_threads() go on with the threads that it listed last, in a program with one interpreter, while the
 * newest of them is the same: where there are a thousand, reading all of them takes longer than all the rest. Threads
 * that have ended since may then still be in the list. One whose state is no longer there is noticed when it is walked,
 * which ends with PYTHON_IN_MOTION, and the next list is made anew. Without leave, which is how it begins, each is.
 */
void python_allow_old_list(struct python *python, bool is_allowed);

/* Whether the list of this sample is that of the sample before. */
bool python_is_list_old(const struct python *python);

/*
 * Reads one thread's frames. After PYTHON_BAD_CODE and PYTHON_BAD_FRAME it has those that could be read, and marks for
 * those that could not; after other failures it has none.
 */
enum python_status python_walk_thread(struct python *python, struct memory *memory, struct python_thread *thread);
const struct python_frame *python_frames(const struct python *python);

/* A frame's code object; for a mark a name that says what it stands for, and no file. */
const struct python_code *python_code(const struct python *python, uint32_t code);

/*
 * Replaces the buffer's content by the name that its interpreter's threading module has for a thread (UTF-8). False
 * when it has none, or when the module is not loaded. Reads a good deal of memory: not for every sample.
 */
bool python_thread_name(struct python *python, struct memory *memory, const struct python_thread *thread,
                        struct buffer *buffer);

static inline void cleanup_python_destroy(struct python **python)
{
    python_destroy(*python);
}

#define cleanup_python __attribute__((cleanup(cleanup_python_destroy)))

#endif
