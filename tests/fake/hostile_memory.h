/* SPDX-License-Identifier: MIT */
/*
 * Another memory, in front of which somebody changes things while it is read, and around which there may be a world
 * where nothing ever faults.
 */
#ifndef HOSTILE_MEMORY_H
#define HOSTILE_MEMORY_H

#include "memory/memory.h"

/* What words hold where the source has none. */
enum hostile_world { WORLD_FAULTS, WORLD_ZEROES, WORLD_ONES, WORLD_OWN_ADDRESS, WORLD_NEXT_ADDRESS, WORLD_COUNT };

struct hostile_memory {
    struct memory memory;
    struct memory *source;
    enum hostile_world world;      /* of pieces of up to 64 kB; longer ones fault */
    bool has_views;                /* those of the source */
    uint64_t pieces;               /* that were asked for */
    uint64_t piece_limit;          /* beyond which the program ends; 0: none */
    uint64_t change_at;            /* before this piece `change` is called */
    void (*change)(void *context); /* says when it wants to be called next, or NULL */
    void *context;
};

/* The source must outlive it. */
void hostile_memory_init(struct hostile_memory *hostile, struct memory *source);

#endif
