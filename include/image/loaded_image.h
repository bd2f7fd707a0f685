/* SPDX-License-Identifier: MIT */
/*
 * An ELF file that a target has mapped: the file, and where it was put.
 */
#ifndef IMAGE_LOADED_IMAGE_H
#define IMAGE_LOADED_IMAGE_H

#include "image/image.h"

struct loaded_image {
    struct image *image; /* owned */
    struct image *debug; /* the separate file with the symbols that were stripped, or NULL; owned */
    char *path;          /* as the target sees it; owned */
    uint64_t bias;       /* address in the target = address of the file + bias */
};

/*
 * Opens the file behind a descriptor, which the caller keeps, and works out its load bias: what lies in the file from
 * `offset` on is mapped at `start`, as code or not. path is copied.
 */
struct error *loaded_image_open(int fd, const char *path, uint64_t start, uint64_t offset, bool is_code,
                                struct loaded_image *ret);

/* Accepts a zeroed struct. */
void loaded_image_deinit(struct loaded_image *loaded);

/* Looks a symbol up in the file and then in its debug file; returns its address in the target, or 0. */
uint64_t loaded_image_find(const struct loaded_image *loaded, const char *name);

#define cleanup_loaded_image __attribute__((cleanup(loaded_image_deinit)))

#endif
