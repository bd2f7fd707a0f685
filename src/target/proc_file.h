/* SPDX-License-Identifier: MIT */
/*
 * Reading files of /proc from a folder that is open, or from the folder of procfs itself. Inside of the room only.
 */
#ifndef TARGET_PROC_FILE_H
#define TARGET_PROC_FILE_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

struct buffer;
struct proc_stat;

/* Reads a whole file into a buffer, replacing what it held. folder: a descriptor, or AT_FDCWD for a whole path. */
struct error *proc_file_read(int folder, const char *name, struct buffer *buffer);

/* ERROR_BAD_DATA when the text is not that of a stat file. */
struct error *proc_file_read_stat(int folder, const char *name, struct proc_stat *ret);

/* The entries of a folder whose names are numbers, such as those of "task", as a malloc'ed array. */
struct error *proc_file_list_numbers(int folder, const char *name, pid_t **ret, uint32_t *ret_count);

#endif
