/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_LEN = 64 * 1024, ALIGNMENT = sizeof(void *) };

struct arena_chunk {
    struct arena_chunk *next;
    size_t len;
    max_align_t bytes[];
};

void *arena_allocate(struct arena *arena, size_t len)
{
    len = (len + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!arena->chunks || arena->chunks->len - arena->used < len) {
        size_t chunk_len = len > CHUNK_LEN ? len : CHUNK_LEN;
        struct arena_chunk *chunk = malloc(sizeof(*chunk) + chunk_len);
        if (!chunk)
            return NULL;
        *chunk = (struct arena_chunk){.next = arena->chunks, .len = chunk_len};
        arena->chunks = chunk;
        arena->used = 0;
    }
    void *allocated = (char *)arena->chunks->bytes + arena->used;
    arena->used += len;
    arena->total += len;
    return allocated;
}

char *arena_copy(struct arena *arena, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = arena_allocate(arena, len);
    return copy ? memcpy(copy, text, len) : NULL;
}

void arena_clear(struct arena *arena)
{
    for (struct arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    *arena = (struct arena){0};
}
