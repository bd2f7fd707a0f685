/* SPDX-License-Identifier: MIT */
/*
 * A small image of a process that ran Python: which interpreter it was, its maps, the memory that reading its stacks
 * takes, and the stacks that were read. What can be walked again without the process: for unit tests of each version,
 * and for reports of what goes wrong where we are not. tests/tools/capture.c makes one.
 *
 * The file is text:
 *
 *     pyspyc image 1
 *     major 3                 what struct python_runtime says; what is not there is 0
 *     runtime 0x7f5c2a1d0000
 *     ...
 *
 *     maps                    as the kernel wrote them
 *     ...
 *
 *     stacks                  as python_image_walk() writes them
 *     ...
 *
 *     memory                  address and bytes, at most 32 a line; a dot is a byte that is zero
 *     7f5c2a1d0000 01.......d073411c7f..
 *
 * A section ends at an empty line, the last one with the file.
 */
#ifndef PYTHON_IMAGE_H
#define PYTHON_IMAGE_H

#include "base/buffer.h"
#include "base/error.h"
#include "python/runtime.h"
#include "recorded_memory.h"

#include <stdio.h>

struct python;

struct python_image {
    struct python_runtime runtime; /* without its layout, which is worked out anew */
    struct buffer maps;
    struct buffer stacks;
    struct recorded_memory memory;
};

/* The source as in recorded_memory_init(). */
void python_image_init(struct python_image *image, struct memory *source);
void python_image_deinit(struct python_image *image);

/* Reads a whole image. ERROR_BAD_DATA names the line that is not understood. */
struct error *python_image_load(FILE *file, struct python_image *ret);

/* Writes an image; the caller asks the file whether it took it. */
void python_image_save(const struct python_image *image, FILE *file);

/* Makes a reader of the image's interpreter. Its layout comes from the version, and from the memory where that says. */
struct error *python_image_open(struct python_image *image, struct python **ret);

/*
 * Reads all threads with their names and stacks, as a dump does, and replaces the buffer's content by what was found:
 *
 *     thread 140034507073344 native 4242 interpreter 0 gil "MainThread"
 *         "Class.method" "/usr/lib/a.py" 12
 *         "<module>" "/usr/lib/a.py" 40 entry
 *     thread 140034507073000 native 4243 interpreter 0 none
 *         failed: memory not mapped
 *
 * Returns how many threads could not be read; a broken list of threads counts as one.
 */
unsigned python_image_walk(struct python_image *image, struct python *python, struct buffer *stacks);

#define cleanup_python_image __attribute__((cleanup(python_image_deinit)))

#endif
