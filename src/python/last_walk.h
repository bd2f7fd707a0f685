/* SPDX-License-Identifier: MIT */
/*
 * What the last walks of threads' stacks came to. Most of a stack stands as it stood in the sample before: of a frame
 * at the same address, with the same code at the same instruction, nothing has to be looked up again.
 *
 *     last_walk_begin_thread(&last_walk, thread);
 *     for each frame:
 *         last_walk_find(&last_walk, frame);
 *         last_walk_add(&last_walk, &walked);
 *
 * Only a help: what is not remembered (beyond limits, or without memory) is looked up.
 */
#ifndef PYTHON_LAST_WALK_H
#define PYTHON_LAST_WALK_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

/* A frame that was added to a stack. */
struct walked_frame {
    remote_addr address;
    remote_addr code;     /* as the frame has them: its code object, */
    uint64_t instruction; /* the instruction, */
    uint8_t owner;        /* and who owns the frame */
    int32_t line;
    uint32_t entry;  /* what the code cache has of the code object, */
    uint32_t serial; /* and which one that was */
};

struct walked_thread {
    remote_addr address;
    uint32_t first, end; /* of its frames, innermost first */
};

struct walked_stacks {
    struct walked_frame *frames;
    uint32_t frame_count, frame_capacity;
    struct walked_thread *threads;
    uint32_t thread_count, thread_capacity;
};

/* A zeroed struct is valid and empty. */
struct last_walk {
    struct walked_stacks before, now;
    uint32_t next_thread; /* of before: the one that is likely to be walked next */
    uint32_t next, end;   /* of before's frames: the one that is likely to be met next, and the end of its stack */
    bool is_remembering;  /* the thread that is walked is the last one of now */
};

void last_walk_deinit(struct last_walk *last_walk);

/* A thread's stack is going to be walked, from the innermost frame outwards. */
void last_walk_begin_thread(struct last_walk *last_walk, remote_addr thread);

/* What is remembered of the frame at an address; NULL when nothing is. Valid until the next call of any function. */
const struct walked_frame *last_walk_find(struct last_walk *last_walk, remote_addr frame);

void last_walk_add(struct last_walk *last_walk, const struct walked_frame *frame);

/*
 * The frames that were walked last from the one at an address outwards. Returns their number; 0 when that one is not
 * known. Valid until a thread's walk begins.
 */
uint32_t last_walk_find_rest(struct last_walk *last_walk, remote_addr frame, const struct walked_frame **ret);

/* Adds the first of the frames that were found last. */
void last_walk_add_rest(struct last_walk *last_walk, const struct walked_frame *frames, uint32_t count);

#endif
