/* SPDX-License-Identifier: MIT */
/*
 * Copies threads and their frames, once they were walked, into a dump. Whose memory they were read in, a live process's
 * or a core file's, is the caller's business.
 *
 *     dump_builder_append(&builder, &thread)         each thread; fill in what is known of it besides
 *     dump_builder_copy(&builder, python_thread, thread)
 *     dump_builder_finish(&builder)
 */
#ifndef SAMPLER_DUMP_BUILDER_H
#define SAMPLER_DUMP_BUILDER_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct dump_thread;
struct dump_variables;
struct memory;
struct process;
struct process_dump;
struct python;
struct python_thread;

struct dump_builder {
    const struct process *process; /* whose files tell what is a package; NULL: our own do */
    struct python *python;
    struct memory *memory; /* in which the threads were walked */
    struct process_dump *dump;
    struct dump_variables *variables; /* of the frames; NULL: they are left out */
    bool is_unsteady;                 /* nothing proves that they are of one moment */
    uint32_t capacity;                /* of the dump's threads */
    uint32_t frame_count;             /* of all threads */
    size_t text_len, thread_text_len; /* bytes of the names of all frames, and of those of the current thread */
};

/* Adds an empty thread. place: how many there are that are newer. NULL without memory. */
struct dump_thread *dump_builder_append(struct dump_builder *builder, uint32_t place);

/* Copies what Python says of a thread; of ret, os_id is already known. False without memory. */
bool dump_builder_copy(struct dump_builder *builder, const struct python_thread *thread, struct dump_thread *ret);

/* Says which Python it is, and puts the threads into the order in which they were started. */
struct error *dump_builder_finish(struct dump_builder *builder);

#endif
