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
    PYTHON_FRAME_LIMIT = 100000,       /* of one stack; what is further out is cut */
    PYTHON_FRAME_TOTAL_LIMIT = 250000, /* of all stacks of one sample, likewise; one takes half of what is left, */
    PYTHON_FRAME_LEAST = 64,           /* but whatever the others have, so many */
};

/* Marks: what a frame has instead of a code object where there is none, or none could be read. */
enum {
    PYTHON_CODE_COLLECTING = UINT32_MAX - 2, /* garbage is being collected, on behalf of the next frame outwards */
    PYTHON_CODE_UNREADABLE = UINT32_MAX - 1, /* one frame, or as the outermost one everything further out */
    PYTHON_CODE_CUT = UINT32_MAX,            /* the outermost frame: what is further out is beyond a limit */
};

struct python_frame {
    remote_addr address; /* of the frame itself; of a mark: where it was looked for */
    uint32_t code;       /* see python_code() */
    int32_t line;
    bool is_entry;      /* the outermost frame of one activation of the evaluation loop: C code called it */
    remote_addr anchor; /* of an entry: an address in that activation's own C frame; 0: not known */
};

enum {
    PYTHON_NO_GIL = UINT32_MAX,
    PYTHON_GIL_CONDITION_LEN = 48, /* sizeof(pthread_cond_t) on 64-bit Linux */
};

/* One GIL: whoever runs Python code in its interpreters has to take it, and changes the memory that is given here. */
struct python_gil {
    remote_addr address;
    uint32_t len;
    bool is_locked;
    remote_addr last_holder; /* the thread state that has, or had, it; 0: nobody, or it is not known any more */
    uint64_t switches;       /* how often another thread than the last one has taken it */
    remote_addr condition;   /* of the condition variable at which those wait who want it, and nobody else */
};

/* Whether who sleeps at this futex (0: at none) waits for the GIL. */
static inline bool python_gil_is_awaited(const struct python_gil *gil, remote_addr futex)
{
    return futex - gil->condition < PYTHON_GIL_CONDITION_LEN;
}

/* A thread state: a thread that is known to several interpreters has one in each. */
struct python_thread {
    remote_addr address; /* of its PyThreadState */
    remote_addr interpreter;
    int64_t interpreter_id; /* 0: the main interpreter, or one of a version that does not count them */
    uint32_t gil;           /* into python_gils(); PYTHON_NO_GIL: there is none whose memory would tell */
    uint64_t id;            /* threading.get_ident(): its pthread_t */
    uint64_t native_id;     /* of the kernel, in the target's own pid namespace; 0: this version does not know it */
    bool holds_gil;
    bool is_collecting;           /* collects garbage, as far as is known */
    remote_addr collecting_frame; /* in which that began, if it did in this thread; 0: not known */
    remote_addr stack_anchor;     /* in the stack of the thread that runs it; 0: not known */
    bool is_asleep;               /* said by who walks it: the kernel has no CPU for it, and it wants none */
    bool is_for_anybody;          /* another thread than the one that is named may run it, with no word about that */
    enum python_status status;    /* how the walk of its stack ended */
    uint32_t first_frame;         /* into python_frames(); innermost first */
    uint32_t frame_count;
};

#endif
