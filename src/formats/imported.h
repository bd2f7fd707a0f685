/* SPDX-License-Identifier: MIT */
/*
 * The recording that is made of another tool's profile: members and samples are added, and the rest is seen to.
 *
 * The file may be anything, so there are limits on what it can make us do.
 */
#ifndef FORMATS_IMPORTED_H
#define FORMATS_IMPORTED_H

#include "base/error.h"
#include "base/table.h"
#include "profile/profile.h"
#include "profile/sample.h"

#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct import_source;
struct profile_process;
struct profile_thread;
struct recording_writer;

struct import_limits {
    uint64_t text_len;  /* bytes of collapsed stacks, unpacked */
    uint64_t pprof_len; /* bytes of a pprof file, unpacked; all of it is held in memory */
    size_t memory;      /* bytes that its messages may take in memory */
    uint64_t frames;    /* of all stacks: a few bytes of a pprof file can stand for many */
    uint32_t nodes;     /* of the call tree */
    uint64_t samples;   /* that all weights add up to; up to here, numbers are exact in JavaScript, too */
};

extern const struct import_limits import_limits;

/* What one sample stands for where a file does not tell: the usual interval of samplers of Python. */
enum { IMPORT_INTERVAL_NS = 10000000 };

struct imported {
    const char *name; /* of the file, for messages */
    const struct import_limits *limits;
    struct buffer *notes;
    struct profile *profile;
    struct recording_writer *writer;
    struct sample *batch; /* samples that were not given to the writer yet */
    uint32_t batch_count;
    uint64_t *ends_ns; /* by thread: the time up to which it has samples */
    uint32_t thread_count, thread_capacity;
    struct table process_table, thread_table;
    uint64_t frames;   /* that were added up to now */
    uint64_t samples;  /* the sum of the weights */
    bool lacks_memory; /* some text could not be stored */
};

/* Begins a recording; root and title are copied, and the rest has to outlive it. */
struct error *imported_init(struct imported *imported, int fd, const char *root, const char *title);

/* Accepts a struct that has only its first fields set. */
void imported_deinit(struct imported *imported);

/* Sets the interval where the file does not tell it, for so many samples, and notes that. */
void imported_assume_interval(struct imported *imported, uint64_t samples);

/* The process or the thread that has all of this; made when it is new. PROFILE_NONE without memory. */
uint32_t imported_process(struct imported *imported, const struct profile_process *process);
uint32_t imported_thread(struct imported *imported, const struct profile_thread *thread);

/* The string, with what is no good text shown as in escape_visible(). PROFILE_NONE without memory. */
uint32_t imported_string(struct imported *imported, const char *text, size_t len);

/* A frame of code; of Python without a file and in angle brackets, as "<GC>", a mark. PROFILE_NONE without memory. */
uint32_t imported_frame(struct imported *imported, struct profile_frame frame);

/* Goes one frame further in a stack. */
struct error *imported_step(struct imported *imported, uint32_t frame, uint32_t *node);

/* Adds samples of a thread's stack, behind those that it has. The interval has been set before. */
struct error *imported_add(struct imported *imported, uint32_t thread, uint32_t node, uint64_t samples,
                           uint32_t states);

/* Fills in what info of the profile is still not known, and ends the recording. */
struct error *imported_finish(struct imported *imported);

/*
 * The readers: each takes a source whose beginning, up to its end or many bytes, was read already. `imported` has its
 * first three fields.
 */
struct error *import_collapsed(struct imported *imported, struct import_source *source, struct buffer *begin, int fd);
struct error *import_pprof(struct imported *imported, struct import_source *source, struct buffer *begin, int fd);

/* import_recording() with other limits. */
struct error *import_within(int in, const char *name, int recording, const struct import_limits *limits,
                            struct buffer *notes);

#define cleanup_imported __attribute__((cleanup(imported_deinit)))

#endif
