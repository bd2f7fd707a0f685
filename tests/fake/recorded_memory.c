/* SPDX-License-Identifier: MIT */
#include "recorded_memory.h"

#include "base/cleanup.h"
#include "base/table.h"

#include <string.h>

/* The index of the first block that ends at or behind an address; the count when there is none. */
static uint32_t find_block(const struct recorded_memory *recorded, remote_addr address)
{
    uint32_t low = 0, high = recorded->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (recorded->blocks[middle].address + recorded->blocks[middle].len < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where the recorded bytes of a range are; NULL when not all of them are. */
static const unsigned char *find_bytes(const struct recorded_memory *recorded, remote_addr address, size_t len)
{
    /* A block that was cut short for a test may end where the next one does not begin: look on from there. */
    for (uint32_t i = find_block(recorded, address); i < recorded->count; i++) {
        const struct recorded_block *block = &recorded->blocks[i];
        if (block->address > address)
            return NULL;
        uint64_t offset = address - block->address;
        if (offset < block->len)
            return len <= block->len - offset ? block->bytes + offset : NULL;
    }
    return NULL;
}

/* Reads from the source, and then once more from what was kept of that, so that first values stay. */
static enum memory_status read_source(struct recorded_memory *recorded, const struct memory_piece *piece)
{
    enum memory_status status = memory_read(recorded->source, piece->address, piece->destination, piece->len);
    if (status != MEMORY_OK || recorded->is_complete)
        return status;
    if (!recorded_memory_add(recorded, piece->address, piece->destination, piece->len))
        return MEMORY_FAULT;
    memcpy(piece->destination, find_bytes(recorded, piece->address, piece->len), piece->len);
    return MEMORY_OK;
}

static enum memory_status read_piece(struct recorded_memory *recorded, const struct memory_piece *piece)
{
    recorded->pieces++;
    if (piece->len == 0)
        return MEMORY_OK;
    const unsigned char *bytes = find_bytes(recorded, piece->address, piece->len);
    if (!bytes)
        return recorded->source ? read_source(recorded, piece) : MEMORY_FAULT;
    memcpy(piece->destination, bytes, piece->len);
    return MEMORY_OK;
}

static enum memory_status read_recorded(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                        size_t *ret_done)
{
    struct recorded_memory *recorded = (struct recorded_memory *)memory;
    memory->remote_reads++;
    for (*ret_done = 0; *ret_done < count; (*ret_done)++) {
        enum memory_status status = read_piece(recorded, &pieces[*ret_done]);
        if (status != MEMORY_OK)
            return status;
    }
    return MEMORY_OK;
}

static const struct memory_ops recorded_ops = {.read = read_recorded};

void recorded_memory_init(struct recorded_memory *recorded, struct memory *source)
{
    *recorded = (struct recorded_memory){.memory = {.ops = &recorded_ops}, .source = source};
}

void recorded_memory_clear(struct recorded_memory *recorded)
{
    for (uint32_t i = 0; i < recorded->count; i++)
        free(recorded->blocks[i].bytes);
    recorded->count = 0;
}

void recorded_memory_deinit(struct recorded_memory *recorded)
{
    recorded_memory_clear(recorded);
    free(recorded->blocks);
    *recorded = (struct recorded_memory){0};
}

/* Puts a block in the place of those from `first` up to `end`, none perhaps. Returns false without memory. */
static bool replace_blocks(struct recorded_memory *recorded, uint32_t first, uint32_t end, struct recorded_block block)
{
    if (!array_grow(&recorded->blocks, recorded->count, &recorded->capacity, sizeof(*recorded->blocks)))
        return false;
    for (uint32_t i = first; i < end; i++)
        free(recorded->blocks[i].bytes);
    memmove(&recorded->blocks[first + 1], &recorded->blocks[end], (recorded->count - end) * sizeof(block));
    recorded->blocks[first] = block;
    recorded->count = recorded->count - (end - first) + 1;
    return true;
}

bool recorded_memory_add(struct recorded_memory *recorded, remote_addr address, const void *bytes, size_t len)
{
    if (address + len < address)
        return false;
    uint32_t first = find_block(recorded, address), end = first;
    remote_addr start = address, stop = address + len;
    for (; end < recorded->count && recorded->blocks[end].address <= address + len; end++) {
        const struct recorded_block *old = &recorded->blocks[end];
        start = old->address < start ? old->address : start;
        stop = old->address + old->len > stop ? old->address + old->len : stop;
    }
    struct recorded_block block = {.address = start, .len = stop - start, .bytes = malloc(stop - start + 1)};
    if (!block.bytes)
        return false;
    if (len > 0)
        memcpy(block.bytes + (address - start), bytes, len);
    for (uint32_t i = first; i < end; i++)
        memcpy(block.bytes + (recorded->blocks[i].address - start), recorded->blocks[i].bytes, recorded->blocks[i].len);
    if (replace_blocks(recorded, first, end, block))
        return true;
    free(block.bytes);
    return false;
}

uint64_t recorded_memory_len(const struct recorded_memory *recorded)
{
    uint64_t len = 0;
    for (uint32_t i = 0; i < recorded->count; i++)
        len += recorded->blocks[i].len;
    return len;
}
