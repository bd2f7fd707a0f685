/* SPDX-License-Identifier: MIT */
/*
 * Writers of profiles: one row a format. A writer sees a profile and a stream, never a process or a file name.
 */
#ifndef FORMATS_FORMATS_H
#define FORMATS_FORMATS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct profile;

struct format_options {
    bool full_filenames; /* labels carry the whole path instead of the short one */
};

struct format {
    const char *name;
    const char *alias;          /* another accepted name, or NULL */
    const char *extension;      /* of default file names, with the dot */
    const char *const *endings; /* file name endings that choose this format, with the dot; ends with NULL */

    /*
     * Writes the whole profile. Errors of the stream itself need not be looked for: the caller checks ferror() and the
     * closing of the stream. Returns an error only when memory runs out.
     */
    struct error *(*write)(const struct profile *profile, const struct format_options *options, FILE *out);
};

/* All formats, the default one first. */
const struct format *formats_all(size_t *ret_count);

/* The format of a name or alias, letter case ignored; NULL when there is none. */
const struct format *format_by_name(const char *name);

/* The format that a file's ending chooses; NULL when the ending is not known. */
const struct format *format_by_ending(const char *path);

#endif
