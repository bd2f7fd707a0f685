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

/* The memory that changes whenever another thread takes the GIL of the main interpreter. */
struct python_gil {
    remote_addr address;
    uint32_t len;
};

struct python;

/* Takes the runtime over, also on failure. */
struct error *python_create(struct python_runtime *runtime, struct python **ret);

/* Accepts NULL. */
void python_destroy(struct python *python);

const struct python_runtime *python_runtime(const struct python *python);

/* Finds out where the GIL is; it stays there while the program runs. */
enum python_status python_find_gil(const struct python *python, struct memory *memory, struct python_gil *ret);

/*
 * The PyThreadState that holds, or was the last to hold, the GIL; 0 when nobody ever did. Takes a copy of the bytes
 * that python_find_gil() describes.
 */
remote_addr python_last_gil_holder(const struct python *python, const void *gil_bytes, bool *ret_is_locked);

void python_begin_sample(struct python *python);

/* Reads all interpreters' lists of threads. */
enum python_status python_list_threads(struct python *python, struct memory *memory);
struct python_thread *python_threads(struct python *python, uint32_t *ret_count);

/* Reads one thread's frames. On failure the thread has none. */
enum python_status python_walk_thread(struct python *python, struct memory *memory, struct python_thread *thread);
const struct python_frame *python_frames(const struct python *python);

/* A frame's code object. */
const struct python_code *python_code(const struct python *python, uint32_t code);

/*
 * Replaces the buffer's content by the name that the threading module has for a thread id (UTF-8). False when it has
 * none, or when the module is not loaded. Reads a good deal of memory: not for every sample.
 */
bool python_thread_name(struct python *python, struct memory *memory, uint64_t thread_id, struct buffer *buffer);

static inline void cleanup_python_destroy(struct python **python)
{
    python_destroy(*python);
}

#define cleanup_python __attribute__((cleanup(cleanup_python_destroy)))

#endif
