/* SPDX-License-Identifier: MIT */
/*
 * Where a result goes. A regular file is written under a temporary name in the same folder and takes its name when it
 * is complete, so that an existing file is whole at any time. Standard output ("-"), FIFOs and devices are written
 * directly.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

struct output {
    char *path;
    char *temporary_path; /* NULL: written directly */
    FILE *stream;
    bool is_complete; /* output_commit() did its work */
};

/* Opens an output, so that what forbids it is known before the work is done. */
struct error *output_open(const char *path, struct output *ret);

/* Completes the output. On failure an existing file is as it was. */
struct error *output_commit(struct output *output);

/* Drops what was not committed. Accepts a zeroed struct. */
void output_deinit(struct output *output);

#define cleanup_output __attribute__((cleanup(output_deinit)))

#endif
