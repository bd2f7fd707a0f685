/* SPDX-License-Identifier: MIT */
/*
 * Where functions begin and end, as the unwind information of a file says. It is there for nearly all code, as C++ and
 * backtraces need it, and strip leaves it alone.
 */
#ifndef IMAGE_FUNCTION_STARTS_H
#define IMAGE_FUNCTION_STARTS_H

#include "image/image.h"

struct function_starts {
    const struct image *image;
    uint64_t table_offset;      /* in the file, of the sorted table of .eh_frame_hdr */
    uint64_t header_address;    /* which the table's numbers are relative to */
    uint64_t header_offset;     /* in the file */
    uint64_t count;             /* of the table's entries */
    struct image_range *ranges; /* sorted, from .eh_frame, when there is no such table; owned */
    uint64_t range_count;
};

/* The image must outlive it. Without unwind information, or memory, there are no functions in it. */
void function_starts_init(struct function_starts *starts, const struct image *image);

/* Accepts a zeroed struct. */
void function_starts_deinit(struct function_starts *starts);

/*
 * Finds the function at an address; its len is 0 when the end is not known. Code between two functions that has no
 * unwind information counts as one function. False, and *ret untouched, when there is none before the address.
 */
bool function_starts_find(const struct function_starts *starts, uint64_t address, struct image_range *ret);

#endif
