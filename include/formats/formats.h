/* SPDX-License-Identifier: MIT */
/*
 * Writers of profiles: one row a format. A writer sees a profile or a view and a stream, never a process or a file
 * name.
 */
#ifndef FORMATS_FORMATS_H
#define FORMATS_FORMATS_H

#include "base/error.h"
#include "formats/tree_options.h"
#include "profile/reduce.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct profile;
struct view;

struct format_options {
    bool full_filenames;          /* labels carry the whole path instead of the short one */
    struct profile_detail detail; /* what is told apart; an interactive picture shows it at first, and has all of it */
    struct tree_options tree;
};

/* What writers return is an error of their own, as when memory runs out; errors of the stream are the caller's to look
 * for with ferror() and at its closing. One of the writers is there. */
struct format {
    const char *name;
    const char *alias;          /* another accepted name, or NULL */
    const char *help;           /* what it is, for a list of formats */
    const char *extension;      /* of default file names, with the dot */
    const char *const *endings; /* file name endings that choose this format, with the dot; ends with NULL */
    const char *viewer;         /* the command that shows a file of it, or NULL */
    const char *site;           /* the address of a page that opens a file of it, where there is no command, or NULL */
    bool is_binary;             /* not for a terminal */
    bool is_recording;          /* the recording itself: has no writer, as it is written already */
    bool marks_idle;            /* is to be given a view that marks where threads waited */
    bool is_fine;               /* write() takes the profile in all detail, and sees itself to options->detail */

    struct error *(*write)(const struct profile *profile, const struct format_options *options, FILE *out);

    /* For what tells the samples one by one, or looks at them in another way than the call tree does. */
    struct error *(*write_samples)(const struct view *view, const struct format_options *options, FILE *out);
};

/* All formats, the default one first. */
const struct format *formats_all(size_t *ret_count);

/* The format of a name or alias, letter case ignored; NULL when there is none. */
const struct format *format_by_name(const char *name);

/* The format that a file's ending chooses, the longest one if there are several; NULL when the ending is not known. */
const struct format *format_by_ending(const char *path);

/* Writes what is in view, with the detail that is asked for. */
struct error *format_write(const struct format *format, const struct view *view, const struct format_options *options,
                           FILE *out);

#endif
