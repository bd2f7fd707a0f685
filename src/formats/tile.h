/* SPDX-License-Identifier: MIT */
/* A stretch of time in which a thread had one stack; timeline.h tells how samples become tiles. */
#ifndef FORMATS_TILE_H
#define FORMATS_TILE_H

#include <stdbool.h>
#include <stdint.h>

struct error;

struct tile {
    uint64_t start_ns, end_ns; /* since the recording began; equal when nothing is left of it */
    uint32_t thread;           /* see profile/members.h */
    uint32_t node;             /* of the timeline's profile */
    uint32_t weight;           /* samples */
    uint32_t states;           /* enum sample_state */
};

/* An error ends the round. */
typedef struct error *(*tile_visitor)(void *context, const struct tile *tile);

/* Makes a tile longer by the next one of its thread, if that follows at once and has the same stack. */
static inline bool tile_extend(struct tile *tile, const struct tile *next)
{
    if (next->node != tile->node || next->start_ns != tile->end_ns)
        return false;
    tile->end_ns = next->end_ns;
    return true;
}

#endif
