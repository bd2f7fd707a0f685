/* SPDX-License-Identifier: MIT */
/*
 * The lines of C that Cython made, and the lines of somebody's code that they were made of. Cython writes the latter as
 * a comment in front of the former: "pkg/mod.pyx":12
 */
#ifndef NATIVE_CYTHON_SOURCE_H
#define NATIVE_CYTHON_SOURCE_H

#include "arena.h"
#include "base/table.h"
#include "native/modules.h"

#include <stdbool.h>
#include <stdint.h>

/* From a line of C on. */
struct cython_line {
    int32_t c_line;
    int32_t line;
    const char *file;
};

/* One file of C. */
struct cython_file {
    const char *path;
    struct cython_line *lines; /* by line of C; none: it is not Cython's, or cannot be read */
    uint32_t count, capacity;
};

struct cython_sources {
    struct arena texts;
    struct cython_file *files;
    uint32_t count, capacity;
    struct table files_by_path;
};

/* Accepts a zeroed struct, which is valid and empty. */
void cython_sources_deinit(struct cython_sources *sources);

/*
 * The line that a line of C was made of; the file of C is read when it is asked for first. NULL when it is not known.
 * Valid until the next call.
 */
const struct cython_line *cython_sources_find(struct cython_sources *sources, const struct modules *modules,
                                              const char *path, int32_t c_line);

#endif
