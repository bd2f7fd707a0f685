/* SPDX-License-Identifier: MIT */
/*
 * What the modules of this room share about one interpreter.
 */
#ifndef PYTHON_PYTHON_H
#define PYTHON_PYTHON_H

#include "code_cache.h"
#include "last_walk.h"
#include "python/runtime.h"
#include "python/stack.h"

struct python {
    struct python_runtime runtime;
    struct code_cache codes;

    struct python_thread *threads;
    uint32_t thread_count, thread_capacity;
    struct python_gil *gils;
    uint32_t gil_count, gil_capacity;
    struct python_frame *frames;
    uint32_t frame_count, frame_capacity;
    uint32_t steps; /* frames that were looked at in this sample */
    struct last_walk last_walk;

    remote_addr threading_interpreter; /* whose threading module was found; 0: none yet */
    remote_addr threading_dict;        /* its namespace */
};

#endif
