/* SPDX-License-Identifier: MIT */
/*
 * Counting the stacks of a session's threads in a profile. What the profile calls a frame is looked up once per code
 * object and line; both are numbered by the session, so that each has a counter of its own.
 */
#ifndef SAMPLER_STACK_COUNTER_H
#define SAMPLER_STACK_COUNTER_H

#include "base/buffer.h"
#include "base/table.h"
#include "sampler/recording_options.h"
#include "session.h"

struct process;
struct profile;

/* A frame as the interpreter tells it, and what the profile calls it. */
struct known_frame {
    uint32_t code_serial;
    int32_t line;
    uint32_t frame;
};

/* A frame of the stack that was counted last, and the node of the profile that it led to. */
struct path_step {
    uint32_t code_serial;
    int32_t line;
    uint32_t node;
};

struct stack_counter {
    struct profile *profile;
    enum recording_lines lines;
    bool with_threads;
    struct buffer process_label; /* of the root of all stacks; empty: they have none */
    uint32_t process_node;       /* PROFILE_NONE while it was not needed */
    struct known_frame *known;
    uint32_t known_count, known_capacity;
    struct table known_table;
    struct path_step *path; /* outermost first */
    uint32_t path_len, path_capacity;
    uint32_t path_root;     /* the node that it begins under */
    uint32_t *thread_nodes; /* by a thread's serial; PROFILE_NONE while it was not met */
    uint32_t thread_node_count;
    struct buffer scratch;
};

void stack_counter_init(struct stack_counter *counter, const struct recording_options *options,
                        struct profile *profile);

/* Gives the process's stacks a root of their own, "process 1234: python worker.py". False without memory. */
bool stack_counter_name_process(struct stack_counter *counter, const struct process *process);

void stack_counter_deinit(struct stack_counter *counter);

/*
 * Finds the node of the profile that a thread's stack, which was walked, ends in. PROFILE_NONE without memory.
 */
uint32_t stack_counter_find(struct stack_counter *counter, struct session *session,
                            const struct sampled_thread *thread);

#endif
