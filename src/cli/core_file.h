/* SPDX-License-Identifier: MIT */
/*
 * Reading core files for the verbs.
 */
#ifndef CLI_CORE_FILE_H
#define CLI_CORE_FILE_H

#include "base/error.h"

struct dumping_options;
struct process_dump;

/*
 * Fills *ret with the stacks of all threads, and says on standard error what could not be read. executable: see struct
 * core_files.
 */
struct error *core_file_dump(const char *path, const char *executable, const struct dumping_options *options,
                             struct process_dump *ret);

#endif
