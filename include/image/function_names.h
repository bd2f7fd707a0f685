/* SPDX-License-Identifier: MIT */
/*
 * The functions of an ELF file: which one an address is in, where it begins, and what the linker calls it.
 *
 * Names are those of .symtab and .dynsym, of the file itself and of its debug file, and of the small compressed file
 * that .gnu_debugdata holds. A function that was stripped of its name is still known by its start, which the unwind
 * information has: .eh_frame_hdr, or .eh_frame where that is missing.
 *
 * The table has 16 bytes for each symbol of a function; names stay in the file until one is asked for. Nothing that the
 * file says is trusted.
 */
#ifndef IMAGE_FUNCTION_NAMES_H
#define IMAGE_FUNCTION_NAMES_H

#include "base/buffer.h"
#include "base/error.h"
#include "image/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FUNCTION_NAME_LIMIT = 8192 }; /* bytes of one name; what is longer is cut. libtorch has some of 2000 */

struct function_names;

/*
 * Reads the tables; debug may be NULL. Both images must outlive what is made. A file without functions, or with tables
 * that make no sense, gives a table without names: the only failure is that of memory.
 */
struct error *function_names_create(const struct image *image, const struct image *debug, struct function_names **ret);

/* Accepts NULL. */
void function_names_destroy(struct function_names *names);

/*
 * Looks for the function at an address of the file. False, and *ret untouched, when nothing is known; else *ret is
 * where the function is (len 0: its end is not known), and the name, which replaces the content of the buffer, is empty
 * when only that is known. Of several names the one is taken that has fewer underscores in front, is global before weak
 * before local, is shorter, and comes first in the alphabet.
 */
bool function_names_find(const struct function_names *names, uint64_t address, struct image_range *ret,
                         struct buffer *name);

/* How many symbols of functions there are, and bytes of memory that the tables take. */
size_t function_names_count(const struct function_names *names);
size_t function_names_memory(const struct function_names *names);

static inline void cleanup_function_names_destroy(struct function_names **names)
{
    function_names_destroy(*names);
}

#define cleanup_function_names __attribute__((cleanup(cleanup_function_names_destroy)))

#endif
