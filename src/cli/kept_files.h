/* SPDX-License-Identifier: MIT */
/*
 * The files that one recording has written in parts (--every), of which only the newest are kept (--keep). Only what
 * was written here, and is still the file that it was then, is ever removed.
 */
#ifndef CLI_KEPT_FILES_H
#define CLI_KEPT_FILES_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct outputs;

struct kept_file {
    char *path;
    dev_t device;
    ino_t number;
    off_t len;
    struct timespec written;
};

struct kept_files {
    struct kept_file *files; /* the outputs of one part beside each other; of so many parts, in a ring */
    uint32_t part_limit, per_part;
    uint64_t part_count; /* that there have been */
};

/* Prepares for so many parts of as many files. part_limit 0: all are kept. */
struct error *kept_files_init(struct kept_files *kept, uint32_t part_limit, uint32_t per_part);

/* The outputs of a part are complete: takes note of them, and removes those of the oldest one beyond the limit. */
void kept_files_add(struct kept_files *kept, const struct outputs *outputs);

/* Accepts a zeroed struct. The files stay. */
void kept_files_deinit(struct kept_files *kept);

#endif
