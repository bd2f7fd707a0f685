/* SPDX-License-Identifier: MIT */
/*
 * What a recording is asked to record, and how.
 */
#ifndef SAMPLER_RECORDING_OPTIONS_H
#define SAMPLER_RECORDING_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct recording_options {
    uint64_t interval_ns;
    uint64_t duration_ns; /* 0: no end */
    uint64_t
        table_limit;  /* bytes of strings, frames and stacks that are held before they are only in the file; 0: none */
    bool only_gil;    /* record only the thread that holds the GIL */
    bool is_blocking; /* stop threads that run, with ptrace, for each sample */
    bool with_native; /* record C frames, too: each thread is stopped for a moment for each sample */
    bool with_all_native; /* those of the interpreter's machinery, too */
    bool with_idle;       /* record threads that are neither running nor ready to run, too */
    bool with_arguments;  /* keep whole command lines, with words that may be secret */
};

/* Whether threads of the program are in our hands at times. */
static inline bool recording_stops_threads(const struct recording_options *options)
{
    return options->is_blocking || options->with_native;
}

#endif
