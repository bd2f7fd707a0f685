/* SPDX-License-Identifier: MIT */
/*
 * The variables of the frames of a dump. They are read between the walk and the proof, so that it covers them; and kept
 * here until it is known whether the stacks that they belong to are used.
 *
 *     dump_variables_begin(&variables);                        for each sample
 *     dump_variables_read(&variables, python, memory, thread); behind the walk
 *     ... session_end_sample() ...
 *     dump_variables_take(&variables, index, &frame);          for each frame that is used
 */
#ifndef SAMPLER_DUMP_VARIABLES_H
#define SAMPLER_DUMP_VARIABLES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dump_frame;
struct dump_variable;
struct memory;
struct python;
struct python_variables;
struct python_thread;

/* What was read of one frame. */
struct frame_variables {
    struct dump_variable *variables; /* owned, with its texts */
    uint32_t count;
    bool is_read;
};

/* A zeroed struct reads nothing. */
struct dump_variables {
    struct python_variables *reader; /* NULL: variables are left out */
    struct frame_variables *frames;  /* as in python_frames() */
    uint32_t capacity;
    uint32_t left, taken;           /* variables that may be kept yet, and those that the dump has; */
    size_t bytes_left, bytes_taken; /* and bytes of their texts; frames beyond have none */
    bool failed;                    /* memory ran out */
};

/* text_limit: see struct dumping_options. The interpreter must outlive the variables. */
struct error *dump_variables_init(struct dump_variables *variables, const struct python *python, uint32_t text_limit);

/* Accepts a zeroed struct. */
void dump_variables_deinit(struct dump_variables *variables);

/* Forgets what was read and not taken. */
void dump_variables_begin(struct dump_variables *variables);

/* Reads the variables of all frames of a thread that was just walked. */
void dump_variables_read(struct dump_variables *variables, const struct python *python, struct memory *memory,
                         const struct python_thread *thread);

/* Hands a frame its variables. is_unsteady: nothing proves that they are of one moment. */
void dump_variables_take(struct dump_variables *variables, uint32_t index, bool is_unsteady, struct dump_frame *ret);

#define cleanup_dump_variables __attribute__((cleanup(dump_variables_deinit)))

#endif
