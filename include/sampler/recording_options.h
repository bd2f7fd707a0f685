/* SPDX-License-Identifier: MIT */
/*
 * What a recording is asked to count, and how.
 */
#ifndef SAMPLER_RECORDING_OPTIONS_H
#define SAMPLER_RECORDING_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum recording_lines {
    RECORDING_CURRENT_LINE,  /* a frame is told from others by the line that it executes */
    RECORDING_FUNCTION_LINE, /* by the function's first line */
    RECORDING_NO_LINE,       /* by the function's name and file alone */
};

struct recording_options {
    uint64_t interval_ns;
    uint64_t duration_ns; /* 0: no end */
    enum recording_lines lines;
    bool with_processes; /* each process has a root frame of its own, */
    bool with_threads;   /* and each thread */
    bool only_gil;       /* count only the thread that holds the GIL */
    bool is_blocking;    /* stop threads that run, with ptrace, for each sample */
    bool with_idle;      /* count threads that are neither running nor ready to run, too */
};

#endif
