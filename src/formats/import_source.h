/* SPDX-License-Identifier: MIT */
/* A file that is to be imported, as a stream of bytes: what is gzipped comes unpacked. */
#ifndef FORMATS_IMPORT_SOURCE_H
#define FORMATS_IMPORT_SOURCE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct import_source {
    void *file; /* zlib's */
    const char *name;
    uint64_t left; /* how many bytes may come yet: a small file can unpack to any size */
};

/* The descriptor stays the caller's, and the name has to outlive the source. */
struct error *import_source_init(struct import_source *source, int fd, const char *name, uint64_t limit);

/* Accepts a zeroed struct. */
void import_source_deinit(struct import_source *source);

/* Reads up to size bytes; fewer only at the end. */
struct error *import_source_read(struct import_source *source, void *bytes, size_t size, size_t *ret_len);

#define cleanup_import_source __attribute__((cleanup(import_source_deinit)))

#endif
