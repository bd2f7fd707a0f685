/* SPDX-License-Identifier: MIT */
/*
 * An ELF file: symbols, sections, segments, build id. Read through libelf from a descriptor that somebody else opened;
 * no path is ever opened here, nothing is mapped, and nothing that the file says is trusted.
 *
 * Addresses are those of the file; add the load bias to get addresses in a target.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IMAGE_BUILD_ID_LIMIT = 64,    /* bytes; SHA-1 gives 20 */
    IMAGE_DEBUG_LINK_LIMIT = 256, /* bytes of a file name with its end; NAME_MAX is 255 */
};

struct image;

/* A range of addresses of the file. */
struct image_range {
    uint64_t address;
    uint64_t len;
};

/* What .gnu_debuglink says: the file that holds the symbols which were stripped. */
struct image_debug_link {
    char name[IMAGE_DEBUG_LINK_LIMIT]; /* without folders */
    uint32_t checksum;                 /* of that whole file, see image_checksum() */
};

/*
 * Opens an ELF file for 64-bit little-endian machines. The descriptor is read through a duplicate: the caller keeps and
 * closes its own. ERROR_BAD_DATA when it is not such a file.
 */
struct error *image_open(int fd, struct image **ret);

/* Opens an ELF file that is in our memory, which is copied: what the kernel maps without having a file. */
struct error *image_open_bytes(const void *bytes, size_t len, struct image **ret);

/*
 * Opens the beginning of an ELF file, of which there are only these bytes: its program headers, and what of its notes
 * lies in them. It has no sections. The bytes are copied.
 */
struct error *image_open_head(const void *bytes, size_t len, struct image **ret);

/* A descriptor of the file, which the caller closes, closed in programs that we start; -1 when there is only a head. */
int image_duplicate_file(const struct image *image);

/* Accepts NULL. */
void image_destroy(struct image *image);

/* Looks a symbol up in .dynsym, then in .symtab. Returns false, and leaves *ret alone, when it is not defined. */
bool image_find_symbol(const struct image *image, const char *name, struct image_range *ret);

/* Whether a symbol is defined, in either table, whose name begins so. */
bool image_has_symbol_prefix(const struct image *image, const char *prefix);

/*
 * Whether .symtab names functions that are seen in one source file only: then no function was stripped of its name.
 * What a compiler puts in at the start and the end of each program has no length, and does not count.
 */
bool image_has_local_functions(const struct image *image);

/* Returns false, and leaves *ret alone, when there is no such section. Section headers survive strip. */
bool image_find_section(const struct image *image, const char *name, struct image_range *ret);

/* The index-th writable segment (.data and .bss); false when there are not that many. */
bool image_writable_segment(const struct image *image, size_t index, struct image_range *ret);

/*
 * The load bias of a file of which the pages from file offset `offset` on are mapped at `start`, as code or not.
 * Returns false when no segment of that kind begins there.
 */
bool image_load_bias(const struct image *image, uint64_t start, uint64_t offset, bool is_code, uint64_t *ret);

/*
 * The same for pages of code anywhere in a segment: protection that was changed later splits mappings, and libffi maps
 * a page of its own code once more (libffi 3.4, src/tramp.c). Returns false when no segment of code has them.
 */
bool image_load_bias_of_code(const struct image *image, uint64_t start, uint64_t offset, uint64_t *ret);

/*
 * Copies what is at an address when the file has just been loaded, the rest of segments' pages included, as whole ones
 * are mapped. What can be written to may have changed since. False, and what is at the destination undefined, when it
 * is not all in one segment of the file.
 */
bool image_read(const struct image *image, uint64_t address, void *destination, size_t len);

/* Where the program headers say that the unwind tables begin (.eh_frame_hdr); false when they do not. */
bool image_unwind_table(const struct image *image, struct image_range *ret);

/* Copies the GNU build id and returns its length in bytes; 0 when there is none. */
size_t image_build_id(const struct image *image, unsigned char ret[IMAGE_BUILD_ID_LIMIT]);

/* Whether both files have a build id, and the same one: whether one holds the symbols of the other. */
bool image_has_same_build_id(const struct image *image, const struct image *other);

/* Returns false, and leaves *ret alone, when there is no link, or one that is no plain file name. */
bool image_debug_link(const struct image *image, struct image_debug_link *ret);

/* The CRC-32 of the whole file, as a debug link has it. Returns false when the file cannot be read, or is too large. */
bool image_checksum(const struct image *image, uint32_t *ret);

static inline void cleanup_image_destroy(struct image **image)
{
    image_destroy(*image);
}

#define cleanup_image __attribute__((cleanup(cleanup_image_destroy)))

#endif
