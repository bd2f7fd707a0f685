/* SPDX-License-Identifier: MIT */
/*
 * The files that a process had mapped, as they are now: opened when they are asked for, and used only when they are the
 * same builds. A file whose content the core does not have is better missing than another one.
 */
#ifndef CORE_MAPPED_FILES_H
#define CORE_MAPPED_FILES_H

#include "base/error.h"
#include "core/core.h"
#include "notes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum file_state {
    FILE_UNTRIED,
    FILE_PROVED,
    FILE_ABSENT,   /* it cannot be opened */
    FILE_OTHER,    /* it is another build */
    FILE_UNPROVED, /* the core does not say which build it had */
};

struct mapped_file {
    const char *path; /* owned by the notes */
    remote_addr head; /* where its beginning was mapped; 0: nowhere */
    enum file_state state;
    int fd; /* -1: not open */
};

struct mapped_files {
    struct mapped_file *files;
    uint32_t count, capacity;
    const struct core_files *how;
    uint32_t executable; /* which of them; UINT32_MAX: not known */
    bool was_given;      /* the executable is the one that the caller gave */
    enum file_state given_state;
    int64_t written_ns; /* when the core was */
};

/* Finds out which pieces are of one file, and says so in them. */
struct error *mapped_files_init(struct mapped_files *files, struct notes *notes, const struct core_files *how);

/* Accepts a zeroed struct. */
void mapped_files_deinit(struct mapped_files *files);

/* Opens a file, if that was not tried before. head: the bytes of its beginning that the core has. */
enum file_state mapped_files_open(struct mapped_files *files, uint32_t file, const void *head, size_t head_len);

/* Says of each file that was asked for in vain what is the matter. */
void mapped_files_report(const struct mapped_files *files, void (*say)(void *context, const char *sentence),
                         void *context);

#endif
