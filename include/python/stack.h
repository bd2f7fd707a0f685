/* SPDX-License-Identifier: MIT */
/*
 * The threads and frames of one sample, as plain data, and the limits of what is read.
 */
#ifndef PYTHON_STACK_H
#define PYTHON_STACK_H

#include "memory/memory.h"
#include "python/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PYTHON_INTERPRETER_LIMIT = 256,
    PYTHON_THREAD_LIMIT = 65536,
    PYTHON_FRAME_LIMIT = 100000,        /* of one stack; what is further out is cut */
    PYTHON_FRAME_TOTAL_LIMIT = 4000000, /* of all stacks of one sample, likewise */
};

struct python_frame {
    uint32_t code; /* see python_code() */
    int32_t line;
    bool is_entry; /* the outermost frame of one activation of the evaluation loop: C code called it */
};

struct python_thread {
    remote_addr address; /* of its PyThreadState */
    uint64_t id;         /* threading.get_ident(): its pthread_t */
    uint64_t native_id;  /* of the kernel, in the target's own pid namespace; 0: this version does not know it */
    bool holds_gil;
    enum python_status status; /* how the walk of its stack ended */
    bool is_cut;               /* the stack is deeper than PYTHON_FRAME_LIMIT */
    uint32_t first_frame;      /* into python_frames(); innermost first */
    uint32_t frame_count;
};

#endif
