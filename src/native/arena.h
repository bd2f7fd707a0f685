/* SPDX-License-Identifier: MIT */
/*
 * Memory for many small things that stay where they are and go away together.
 */
#ifndef NATIVE_ARENA_H
#define NATIVE_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* A zeroed struct is a valid empty arena. */
struct arena {
    struct arena_chunk *chunks;
    size_t used; /* of the first chunk */
    size_t total;
};

/* Returns bytes that are aligned for pointers; NULL without memory. */
void *arena_allocate(struct arena *arena, size_t len);

/* Copies a text with its end. NULL without memory. */
char *arena_copy(struct arena *arena, const char *text);

/* Lets everything go; the arena is empty and usable again. */
void arena_clear(struct arena *arena);

#endif
