/* SPDX-License-Identifier: MIT */
#include "memory/memory.h"

enum memory_status memory_read_batch(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                     size_t *ret_done)
{
    if (count == 0) {
        *ret_done = 0;
        return MEMORY_OK;
    }
    return memory->ops->read(memory, pieces, count, ret_done);
}

enum memory_status memory_read(struct memory *memory, remote_addr address, void *destination, size_t len)
{
    const struct memory_piece piece = {address, destination, len};
    size_t done;
    return memory_read_batch(memory, &piece, 1, &done);
}

enum memory_status memory_read_u64(struct memory *memory, remote_addr address, uint64_t *ret)
{
    uint64_t value;
    enum memory_status status = memory_read(memory, address, &value, sizeof(value));
    if (status == MEMORY_OK)
        *ret = value;
    return status;
}

enum memory_status memory_read_u32(struct memory *memory, remote_addr address, uint32_t *ret)
{
    uint32_t value;
    enum memory_status status = memory_read(memory, address, &value, sizeof(value));
    if (status == MEMORY_OK)
        *ret = value;
    return status;
}

bool memory_lacks(struct memory *memory, const struct memory_range *range)
{
    return memory->ops->lacks && memory->ops->lacks(memory, range);
}

void memory_expect(struct memory *memory, const struct memory_range *ranges, size_t count)
{
    if (memory->ops->expect && count > 0)
        memory->ops->expect(memory, ranges, count);
}
