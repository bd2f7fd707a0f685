/* SPDX-License-Identifier: MIT */
/*
 * Unpacking of compressed core files: they are read here and there, which a compressed one cannot be.
 */
#ifndef CORE_INFLATE_H
#define CORE_INFLATE_H

#include "base/error.h"

#include <stdbool.h>

struct core_files;

/* Whether a file is compressed with gzip. ERROR_BAD_DATA, with the remedy, when it is so in another way. */
struct error *inflate_try(int fd, bool *ret_is_gzip);

/*
 * Unpacks a file into a scratch file, with holes where there are only zeros. *ret_is_damaged: its end is missing, or
 * cannot be read.
 */
struct error *inflate_to_scratch(int fd, const struct core_files *files, int *ret_fd, bool *ret_is_damaged);

#endif
