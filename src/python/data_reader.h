/* SPDX-License-Identifier: MIT */
/*
 * Reading a file's writable memory from one end to the other, in chunks.
 *
 *     struct data_reader reader;
 *     data_reader_init(&reader, data, memory);
 *     while (data_reader_next(&reader))
 *         look_at(reader.address, reader.bytes, reader.len);
 *     data_reader_deinit(&reader);
 */
#ifndef PYTHON_DATA_READER_H
#define PYTHON_DATA_READER_H

#include "python/data.h"

#include <stdbool.h>
#include <stddef.h>

enum { DATA_LOOKAHEAD = 256 }; /* bytes that may be looked at behind each chunk; zeros where there are none */

struct data_reader {
    remote_addr address; /* of the chunk; a multiple of 8 wherever the data begin at one */
    char *bytes;
    size_t len;

    const struct python_data *data;
    struct memory *memory;
    uint32_t range;
    uint64_t at;   /* in the range */
    uint64_t left; /* that may still be read in all */
};

void data_reader_init(struct data_reader *reader, const struct python_data *data, struct memory *memory);
void data_reader_deinit(struct data_reader *reader);

/* Goes on to the next chunk that can be read; false at the end, and without memory. */
bool data_reader_next(struct data_reader *reader);

#define cleanup_data_reader __attribute__((cleanup(data_reader_deinit)))

#endif
