/* SPDX-License-Identifier: MIT */
/*
 * The short names of source files and libraries, found while others go on with the profile: looking at the target's
 * files can take long, and the profile is not held meanwhile.
 *
 *     file_names_collect(names, profile);      with the lock: the files of frames that are new
 *     file_names_find(names, process);         without it
 *     file_names_set(names, profile);          with the lock
 */
#ifndef SAMPLER_FILE_NAMES_H
#define SAMPLER_FILE_NAMES_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct process;
struct profile;

struct named_file {
    uint32_t file;             /* string of the profile */
    size_t offset, len;        /* its path, in paths */
    size_t start;              /* of the short name in the path */
    bool is_native, is_source; /* a library or a source of native code */
};

struct file_names {
    uint32_t frame_count; /* of the profile, whose files were collected before */
    struct named_file *files;
    uint32_t count, capacity;
    struct buffer paths;
};

/* Accepts a zeroed struct. */
void file_names_deinit(struct file_names *names);

struct error *file_names_collect(struct file_names *names, const struct profile *profile);
void file_names_find(struct file_names *names, const struct process *process);
struct error *file_names_set(const struct file_names *names, struct profile *profile);

#endif
