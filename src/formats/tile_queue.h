/* SPDX-License-Identifier: MIT */
/*
 * Tiles that are to be put into the order of time: a binary heap, the one with the earliest end on top. Those that end
 * together stay in the order in which they came.
 */
#ifndef FORMATS_TILE_QUEUE_H
#define FORMATS_TILE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct tile;

struct tile_queue {
    struct queued_tile *tiles;
    uint32_t count, capacity;
    uint64_t added; /* so far */
};

/* Accepts a zeroed struct, which is an empty queue. */
void tile_queue_deinit(struct tile_queue *queue);

/* False without memory. */
bool tile_queue_add(struct tile_queue *queue, const struct tile *tile);

/* The tile with the earliest end, valid until the next call; NULL when there is none. */
const struct tile *tile_queue_first(const struct tile_queue *queue);

/* Takes that tile out; there is one. */
void tile_queue_take(struct tile_queue *queue, struct tile *ret);

#define cleanup_tile_queue __attribute__((cleanup(tile_queue_deinit)))

#endif
