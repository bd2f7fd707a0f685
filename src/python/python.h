/* SPDX-License-Identifier: MIT */
/*
 * What the modules of this room share about one interpreter.
 */
#ifndef PYTHON_PYTHON_H
#define PYTHON_PYTHON_H

#include "code_cache.h"
#include "dict.h"
#include "last_walk.h"
#include "python/runtime.h"
#include "python/stack.h"

enum {
    OWN_CFRAME_DISTANCE = 512, /* a struct so near to the begin of a thread state is in it, and on no C stack */
    /* What the names of threads and methods may take in one sample: some seconds. 6000 threads take half of it. */
    LOOKUP_ENTRY_LIMIT = 1 << 25,
    LOOKUP_READ_LIMIT = 1 << 20,
};

/* What a thread state says of itself, as far as it does not change while it lives. */
struct thread_words {
    remote_addr address, interpreter;
    uint64_t id, native_id; /* native_id 0: this version does not know it */
};

/* The list of threads that was made last, of a program with one interpreter. */
struct last_list {
    bool is_allowed; /* it may be used again, */
    bool is_whole;   /* it can be, as all threads are in it, */
    bool is_used;    /* and it is, in this sample */
    remote_addr interpreter;
    struct thread_words newest;
    remote_addr second; /* the thread behind the newest one */
};

/* A list of threads that breaks off. */
struct broken_list {
    remote_addr at;            /* where it did in the last reading; 0: it did not */
    uint32_t readings;         /* before that one that ended there as well */
    enum python_status status; /* how it does, while its beginning is taken for all of it; else PYTHON_OK */
};

struct python {
    struct python_runtime runtime;
    struct code_cache codes;

    struct python_thread *threads;
    uint32_t thread_count, thread_capacity, thread_limit;
    struct last_list last_list;
    struct broken_list broken_list;
    struct python_gil *gils;
    uint32_t gil_count, gil_capacity;
    struct python_frame *frames;
    uint32_t frame_count, frame_capacity;
    bool is_still;  /* see python_take_as_it_is() */
    uint32_t steps; /* frames that were looked at in this sample */
    struct last_walk last_walk;
    bool keeps_anchors; /* see python_keep_anchors() */

    struct dict_budget lookups;        /* what is left of this sample's */
    remote_addr threading_interpreter; /* whose threading module was found; 0: none yet */
    remote_addr threading_dict;        /* its namespace */
    remote_addr active_interpreter;    /* the last one whose dict of threads was looked for in this sample; 0: none */
    remote_addr active;                /* that dict; 0: there is none */
};

/* Whether a thread of the list is still there, as far as its state tells. */
bool threads_is_there(const struct python *python, struct memory *memory, const struct python_thread *thread);

#endif
