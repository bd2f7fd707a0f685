/* SPDX-License-Identifier: MIT */
/*
 * Inside an image: for the modules of this room that read more of an ELF file than image.h has doors for.
 */
#ifndef IMAGE_IMAGE_FILE_H
#define IMAGE_IMAGE_FILE_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

struct image;

/* Belongs to the image. What is read through it stays in memory as long as the image does. */
Elf *image_elf(const struct image *image);

/* A second handle on the same file, so that what is read through it can be let go. NULL on failure; elf_end() it. */
Elf *image_open_again(const struct image *image);

/* Reads bytes at a position of the file. Returns how many there were, at most len; 0 on failure. */
size_t image_read_file(const struct image *image, uint64_t offset, void *destination, size_t len);

static inline void cleanup_elf_end(Elf **elf)
{
    elf_end(*elf);
}

#define cleanup_elf __attribute__((cleanup(cleanup_elf_end)))

#endif
