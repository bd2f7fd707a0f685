/* SPDX-License-Identifier: MIT */
/*
 * The short name of a source file: its path from the outermost package that it belongs to ("json/decoder.py"), or its
 * last component when it belongs to none. What is a package, the target's own files tell; ours do
 * when there is no process.
 */
#ifndef SAMPLER_SHORT_PATH_H
#define SAMPLER_SHORT_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct process;

/* process: NULL when there is none. Returns where the short name begins in the path. */
size_t short_path_start(const struct process *process, const char *path, size_t len);

/*
 * The same for the file of a native frame: a library is called by its own name, a source by that and its folder's
 * ("Objects/listobject.c"), as sources of one name are many. Looks at no file.
 */
size_t short_path_start_native(const char *path, size_t len, bool is_source);

#endif
