/* SPDX-License-Identifier: MIT */
/* A file that a verb is to read as a recording. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "base/error.h"

/*
 * Opens a recording, or what another tool wrote, see formats/import.h: of that, a recording is made in a file without a
 * name. Says on standard error what should be known about it. The descriptor is the caller's.
 */
struct error *input_open(const char *path, int *ret_fd);

#endif
