/* SPDX-License-Identifier: MIT */
#include "data_reader.h"

#include "image/loaded_image.h"

#include <stdlib.h>
#include <string.h>

enum {
    DATA_STEP = 64 * 1024,
    DATA_ALIGNMENT = 8,
};

static void add_range(struct python_data *data, remote_addr start, remote_addr end)
{
    start -= start % DATA_ALIGNMENT;
    if (data->count >= PYTHON_DATA_RANGE_LIMIT || end <= start)
        return;
    data->ranges[data->count].address = start;
    data->ranges[data->count++].len = end - start;
}

void python_data_of_image(const struct loaded_image *image, struct python_data *ret)
{
    struct image_range segment;
    *ret = (struct python_data){0};
    for (size_t i = 0; i < PYTHON_DATA_RANGE_LIMIT && image_writable_segment(image->image, i, &segment); i++) {
        remote_addr start = image->bias + segment.address;
        add_range(ret, start, start + segment.len);
    }
}

static bool is_data_of(const struct mapping *candidate, const struct mapping *file)
{
    return candidate->writable && candidate->inode == file->inode && strcmp(candidate->path, file->path) == 0;
}

void python_data_of_mapping(const struct maps *maps, const struct mapping *mapping, struct python_data *ret)
{
    *ret = (struct python_data){0};
    for (uint32_t i = 0; i < maps->count; i++) {
        if (!is_data_of(&maps->mappings[i], mapping))
            continue;
        remote_addr start = maps->mappings[i].start, end = maps->mappings[i].end;
        for (; i + 1 < maps->count; i++) {
            const struct mapping *next = &maps->mappings[i + 1];
            bool is_bss = next->inode == 0 && next->writable;
            if (next->start != end || !(is_bss || is_data_of(next, mapping)))
                break;
            end = next->end;
        }
        add_range(ret, start, end);
    }
}

void data_reader_init(struct data_reader *reader, const struct python_data *data, struct memory *memory)
{
    *reader = (struct data_reader){.data = data, .memory = memory, .left = PYTHON_DATA_LIMIT};
    reader->bytes = malloc(DATA_STEP + DATA_LOOKAHEAD);
}

void data_reader_deinit(struct data_reader *reader)
{
    free(reader->bytes);
    reader->bytes = NULL;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool data_reader_next(struct data_reader *reader)
{
    while (reader->bytes && reader->range < reader->data->count && reader->left > 0) {
        uint64_t left = reader->data->ranges[reader->range].len - reader->at;
        if (left == 0) {
            reader->range++;
            reader->at = 0;
            continue;
        }
        size_t readable = (size_t)least(left, DATA_STEP + DATA_LOOKAHEAD);
        reader->address = reader->data->ranges[reader->range].address + reader->at;
        reader->len = (size_t)least(left, DATA_STEP);
        reader->at += reader->len;
        reader->left -= least(reader->left, reader->len);
        memset(reader->bytes + readable, 0, DATA_STEP + DATA_LOOKAHEAD - readable);
        if (memory_read(reader->memory, reader->address, reader->bytes, readable) == MEMORY_OK)
            return true;
    }
    return false;
}
