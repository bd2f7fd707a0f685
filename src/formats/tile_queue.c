/* SPDX-License-Identifier: MIT */
#include "tile_queue.h"

#include "base/table.h"
#include "tile.h"

#include <stdlib.h>

struct queued_tile {
    struct tile tile;
    uint64_t number; /* in the order in which they came */
};

void tile_queue_deinit(struct tile_queue *queue)
{
    free(queue->tiles);
    *queue = (struct tile_queue){0};
}

static bool is_earlier(const struct queued_tile *one, const struct queued_tile *other)
{
    if (one->tile.end_ns != other->tile.end_ns)
        return one->tile.end_ns < other->tile.end_ns;
    return one->number < other->number;
}

bool tile_queue_add(struct tile_queue *queue, const struct tile *tile)
{
    if (!array_grow(&queue->tiles, queue->count, &queue->capacity, sizeof(*queue->tiles)))
        return false;
    const struct queued_tile added = {.tile = *tile, .number = queue->added++};
    uint32_t place = queue->count++;
    for (; place > 0 && is_earlier(&added, &queue->tiles[(place - 1) / 2]); place = (place - 1) / 2)
        queue->tiles[place] = queue->tiles[(place - 1) / 2];
    queue->tiles[place] = added;
    return true;
}

const struct tile *tile_queue_first(const struct tile_queue *queue)
{
    return queue->count > 0 ? &queue->tiles[0].tile : NULL;
}

void tile_queue_take(struct tile_queue *queue, struct tile *ret)
{
    struct queued_tile *tiles = queue->tiles;
    *ret = tiles[0].tile;
    const struct queued_tile last = tiles[--queue->count];
    uint32_t place = 0;
    for (uint32_t child = 1; child < queue->count; child = 2 * place + 1) {
        if (child + 1 < queue->count && is_earlier(&tiles[child + 1], &tiles[child]))
            child++;
        if (!is_earlier(&tiles[child], &last))
            break;
        tiles[place] = tiles[child];
        place = child;
    }
    tiles[place] = last;
}
