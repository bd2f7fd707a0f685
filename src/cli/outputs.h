/* SPDX-License-Identifier: MIT */
/*
 * The results of one recording: any number of files, each in its format.
 */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "base/error.h"
#include "output.h"

#include <stdbool.h>
#include <stdint.h>

struct file_name_facts;
struct format;
struct format_options;
struct view;

enum { OUTPUT_LIMIT = 32 };

/* What is looked at. */
struct views {
    const struct view *plain;
    const struct view *with_idle; /* the same, with marks where threads waited; NULL: nobody did, or nobody asks */
};

/* The file of a recording, and how much of it is good. */
struct recording_source {
    int fd;
    uint64_t len;
};

struct outputs {
    const char *paths[OUTPUT_LIMIT]; /* as they were given, with patterns in them (file_name.h) */
    char *names[OUTPUT_LIMIT];       /* once they are open: what they have become */
    const struct format *formats[OUTPUT_LIMIT];
    struct output files[OUTPUT_LIMIT]; /* once they are open */
    uint32_t count;
    bool is_numbered;            /* names that do not say where the number is to be (%n) get one */
    bool is_literal;             /* there are no patterns in the paths */
    const struct format *format; /* that was asked for by name; NULL: none was */
};

/* -o PATH and -f FORMAT. */
struct error *outputs_add(struct outputs *outputs, const char *path);
struct error *outputs_choose(struct outputs *outputs, const char *format);

/* Whether what was asked for is text for a terminal. */
bool outputs_are_text(const struct outputs *outputs);

/*
 * Gives each output its format: the one that was asked for, if there is one output, or its ending is not known; else
 * that of its ending. Standard output has the one that was asked for, if no file needs that, or else is a text tree. A
 * name without an ending is a flame graph.
 */
struct error *outputs_complete(struct outputs *outputs);

/* Opens all outputs, so that what forbids one is known before the work is done. */
struct error *outputs_open(struct outputs *outputs, const struct file_name_facts *facts);

/* Drops what is open, so that they can be opened again. */
void outputs_close(struct outputs *outputs);

/* The first regular file among those that are open; NULL when there is none. */
const struct place *outputs_first_file(const struct outputs *outputs);

/* The first name that is not standard output; NULL when there is none. */
const char *outputs_first_name(const struct outputs *outputs);

/*
 * Writes the outputs that are open; recording: for who wants that itself. Goes on after an output that failed, and
 * returns the first error.
 */
struct error *outputs_write(struct outputs *outputs, const struct views *views, const struct format_options *options,
                            const struct recording_source *recording);

/* Whether one of them is to mark where threads waited. */
bool outputs_mark_idle(const struct outputs *outputs);

/* Whether the recording itself is among them. */
bool outputs_have_recording(const struct outputs *outputs);

/* Whether one of them may take long to be written to, as its reader waits: a pipe, a terminal, a device. */
bool outputs_can_wait(const struct outputs *outputs);

/* Drops what was not written. Accepts a zeroed struct. */
void outputs_deinit(struct outputs *outputs);

#endif
