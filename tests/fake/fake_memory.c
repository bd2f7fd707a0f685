/* SPDX-License-Identifier: MIT */
#include "fake_memory.h"

#include <assert.h>
#include <string.h>

static enum memory_status read_one(const struct fake_memory *fake, const struct memory_piece *piece)
{
    remote_addr at = piece->address;
    unsigned char *to = piece->destination;
    for (size_t left = piece->len; left > 0;) {
        size_t len = 0;
        for (unsigned i = 0; i < fake->range_count && len == 0; i++) {
            uint64_t offset = at - fake->ranges[i].address;
            if (at < fake->ranges[i].address || offset >= fake->ranges[i].len)
                continue;
            len = fake->ranges[i].len - offset < left ? fake->ranges[i].len - offset : left;
            memcpy(to, fake->ranges[i].bytes + offset, len);
        }
        if (len == 0)
            return MEMORY_FAULT;
        at += len;
        to += len;
        left -= len;
    }
    return MEMORY_OK;
}

static enum memory_status read_ranges(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                      size_t *ret_done)
{
    struct fake_memory *fake = (struct fake_memory *)memory;
    memory->remote_reads++;
    for (*ret_done = 0; *ret_done < count; (*ret_done)++) {
        enum memory_status status = read_one(fake, &pieces[*ret_done]);
        if (status != MEMORY_OK)
            return status;
        if (fake->after_piece)
            fake->after_piece(fake, &pieces[*ret_done]);
    }
    return MEMORY_OK;
}

/* There is none where a test wants to know what is read. */
static const void *view_range(struct memory *memory, remote_addr address, size_t len)
{
    const struct fake_memory *fake = (const struct fake_memory *)memory;
    for (unsigned i = 0; i < fake->range_count && !fake->after_piece; i++) {
        uint64_t offset = address - fake->ranges[i].address;
        if (address >= fake->ranges[i].address && offset < fake->ranges[i].len && len <= fake->ranges[i].len - offset)
            return fake->ranges[i].bytes + offset;
    }
    return NULL;
}

static const struct memory_ops fake_ops = {.read = read_ranges, .view = view_range};

void fake_memory_init(struct fake_memory *fake)
{
    *fake = (struct fake_memory){.memory = {.ops = &fake_ops}};
}

void fake_memory_map(struct fake_memory *fake, remote_addr address, void *bytes, size_t len)
{
    assert(fake->range_count < FAKE_RANGE_LIMIT);
    fake->ranges[fake->range_count].address = address;
    fake->ranges[fake->range_count].bytes = bytes;
    fake->ranges[fake->range_count++].len = len;
}

void fake_memory_unmap(struct fake_memory *fake, remote_addr address)
{
    for (unsigned i = 0; i < fake->range_count; i++) {
        if (fake->ranges[i].address == address)
            fake->ranges[i].len = 0;
    }
}
