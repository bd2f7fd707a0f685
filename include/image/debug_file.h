/* SPDX-License-Identifier: MIT */
/*
 * The separate files that hold the symbols which were stripped from others.
 */
#ifndef IMAGE_DEBUG_FILE_H
#define IMAGE_DEBUG_FILE_H

#include <stdbool.h>

struct loaded_image;

enum { DEBUG_FILE_PLACES = 2 };

/*
 * Opens a regular file for reading by its path, in the first place (0) or in the second (1) that files are looked for
 * in: a container's file system, say, and then our own. -1: there is none.
 */
typedef int (*debug_file_open)(void *context, const char *path, int place);

/*
 * Opens the separate file with an image's symbols as loaded->debug: by build id, or by the image's debug link. What
 * does not prove to belong to the image is not taken. Returns whether there is one.
 */
bool debug_file_find(struct loaded_image *loaded, debug_file_open open, void *context);

#endif
