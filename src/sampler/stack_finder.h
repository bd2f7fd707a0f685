/* SPDX-License-Identifier: MIT */
/*
 * Finding the stacks of a session's threads in a profile, and the threads themselves. What the profile calls a frame is
 * looked up once per code object and line; both are numbered by the session, so that each has a finder of its own.
 */
#ifndef SAMPLER_STACK_FINDER_H
#define SAMPLER_STACK_FINDER_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "session.h"

struct joined_python;
struct process;
struct profile;
struct stack_frame;

/* A frame as it is read, and what the profile calls it. */
struct known_frame {
    uint64_t key; /* the serial of the code object or function, or a system call, and which of them it is */
    int32_t line;
    uint32_t frame;
};

/* A frame of the stack that was counted last, what the profile calls it, and the node there that it led to. */
struct path_step {
    uint32_t code_serial;
    int32_t line;
    uint32_t frame;
    uint32_t node; /* PROFILE_NONE: nobody asked */
};

/* The same of a stack that was joined. */
struct joined_step {
    uint64_t key; /* as a known frame's; of a Python frame what the profile calls it */
    int32_t line;
    uint32_t node;
};

struct stack_finder {
    struct profile *profile;
    struct buffer command_line, python_version; /* of the process */
    int64_t pid;
    uint32_t process; /* the profile's number of the process; PROFILE_NONE while it was not needed */
    struct known_frame *known;
    uint32_t known_count, known_capacity;
    struct table known_table;
    struct path_step *path; /* outermost first */
    uint32_t path_len, path_capacity;
    struct joined_step *joined; /* likewise */
    uint32_t joined_len, joined_capacity;
    uint32_t *threads; /* the profile's numbers, by a thread's serial; PROFILE_NONE while it was not met */
    uint32_t thread_count;
};

/* The profile is left alone for now. with_arguments: it is to have the process's whole command line. */
struct error *stack_finder_init(struct stack_finder *finder, const struct process *process, struct session *session,
                                bool with_arguments, struct profile *profile);

/* Accepts a zeroed struct. */
void stack_finder_deinit(struct stack_finder *finder);

/* The profile has forgotten its frames and nodes, and no thread or process. */
void stack_finder_forget(struct stack_finder *finder);

/* Makes the path that of a thread's Python frames, which were walked, for the sake of their numbers. False without
 * memory. */
bool stack_finder_find_frames(struct stack_finder *finder, struct session *session,
                              const struct sampled_thread *thread);

/*
 * Finds the node that a stack of C and Python frames ends in, innermost first; of Python frames the profile's numbers
 * are known already. PROFILE_NONE without memory.
 */
uint32_t stack_finder_join(struct stack_finder *finder, const struct stack_frame *frames, uint32_t count,
                           const struct joined_python *python_frames);

/* The same for Python frames alone. */
uint32_t stack_finder_join_python(struct stack_finder *finder, const struct joined_python *frames, uint32_t count);

/* Finds the node of the profile that a thread's stack, which was walked, ends in. PROFILE_NONE without memory. */
uint32_t stack_finder_find(struct stack_finder *finder, struct session *session, const struct sampled_thread *thread);

/* Finds the profile's number of a thread. PROFILE_NONE without memory. */
uint32_t stack_finder_find_thread(struct stack_finder *finder, struct session *session,
                                  const struct sampled_thread *thread);

#endif
