/* SPDX-License-Identifier: MIT */
/*
 * Where a result goes. A regular file is written under a temporary name in the same folder and takes its name when it
 * is complete, so that an existing file is whole at any time. Standard output ("-"), FIFOs and devices are written
 * directly.
 *
 * A new file is for its owner alone (0600); one that replaces a file of ours has that one's mode. Others' files are not
 * written to in folders where everybody may make files, and no link of theirs leads us anywhere; see place.h.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/error.h"
#include "place.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

enum { TEMPORARY_NAME_LEN = 32 };

struct output {
    char *path;                         /* as it was given */
    struct place place;                 /* folder -1: standard output */
    char temporary[TEMPORARY_NAME_LEN]; /* a name in the folder; empty: there is no such file now */
    FILE *stream;                       /* NULL until output_begin(), of a regular file */
    bool is_file;                       /* it is or becomes a regular one */
    bool is_complete;                   /* output_commit() did its work, */
    struct stat written;                /* and a regular file is what it was just before it took its name */
};

/*
 * Opens an output, so that what forbids it is known before the work is done. Of a regular file nothing is left on the
 * disk meanwhile: whoever is killed while the work goes on leaves nothing behind.
 */
struct error *output_open(const char *path, struct output *ret);

/* Makes the stream ready to be written to. */
struct error *output_begin(struct output *output);

/* Completes the output. On failure an existing file is as it was. */
struct error *output_commit(struct output *output);

/* Drops what was not committed. Accepts a zeroed struct. */
void output_deinit(struct output *output);

#define cleanup_output __attribute__((cleanup(output_deinit)))

#endif
