/* SPDX-License-Identifier: MIT */
/*
 * Which version a Python is of, as the Python itself and its file say.
 */
#ifndef PYTHON_VERSION_SEARCH_H
#define PYTHON_VERSION_SEARCH_H

#include "python/data.h"
#include "python/version.h"

#include <stdbool.h>

struct loaded_image;

/*
 * The version of the Python in an image, from what can be trusted most: Py_Version, the debug offsets at runtime (0:
 * none are known), the text that Py_GetVersion() returns, and the name of the file.
 */
bool version_find(const struct loaded_image *image, struct memory *memory, remote_addr runtime,
                  struct python_version *ret);

/* The version that debug offsets say; 0.0 when there are none. */
struct python_version version_of_debug_offsets(struct memory *memory, remote_addr runtime);

/*
 * The version in data that may belong to no Python at all: the text counts only when build and compiler follow, as in
 * "3.10.13 (main, Aug 24 2023, 20:24:46) [GCC 12.2.0]".
 */
bool version_find_in_data(const struct python_data *data, struct memory *memory, struct python_version *ret);

#endif
