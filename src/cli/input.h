/* SPDX-License-Identifier: MIT */
/* A file that a verb is to read as a recording. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "base/error.h"

struct recording_file;

/*
 * Opens a recording (- is standard input), or what another tool wrote, see formats/import.h: of that, a recording is
 * made in a file without a name. Says on standard error what should be known about it. The descriptor is the caller's.
 */
struct error *input_open(const char *path, int *ret_fd);

/* Reads what was opened; the descriptor stays the caller's. */
struct error *input_read(int fd, const char *path, struct recording_file **ret);

/* Says on standard error what is missing in a recording; nothing if nothing is. */
void input_report_gaps(const char *path, const struct recording_file *file);

#endif
