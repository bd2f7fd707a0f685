/* SPDX-License-Identifier: MIT */
/*
 * A folder that stands for /proc: a temporary one that a test fills.
 */
#ifndef PROC_FOLDER_H
#define PROC_FOLDER_H

#include <stddef.h>

struct proc_folder {
    char path[64]; /* give it to process_open() */
};

void proc_folder_create(struct proc_folder *folder);

/* Removes the folder with all that is in it. */
void proc_folder_destroy(struct proc_folder *folder);

/* Writes a file ("7/stat"), and the folders that it is in. */
void proc_folder_put(struct proc_folder *folder, const char *name, const void *bytes, size_t len);
void proc_folder_put_text(struct proc_folder *folder, const char *name, const char *text);

/* Makes a folder, and those that it is in. */
void proc_folder_make(struct proc_folder *folder, const char *name);

/* Makes a symbolic link. */
void proc_folder_link(struct proc_folder *folder, const char *name, const char *target);

void proc_folder_remove(struct proc_folder *folder, const char *name);

#endif
