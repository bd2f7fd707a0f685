/* SPDX-License-Identifier: MIT */
#include "memory/kept_stacks.h"

#include <stdlib.h>
#include <string.h>

enum { COMPARED_LEN = 256 }; /* bytes that are compared at once */

void kept_stacks_deinit(struct kept_stacks *stacks)
{
    for (unsigned i = 0; i < KEPT_STACK_LIMIT; i++)
        free(stacks->stacks[i].buffer);
    *stacks = (struct kept_stacks){0};
}

void kept_stacks_forget(struct kept_stacks *stacks)
{
    for (unsigned i = 0; i < KEPT_STACK_LIMIT; i++)
        stacks->stacks[i].len = 0;
}

uint32_t kept_stacks_find(struct kept_stacks *stacks, remote_addr end)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < KEPT_STACK_LIMIT; i++) {
        if (stacks->stacks[i].end == end) {
            found = i;
            break;
        }
        if (stacks->stacks[i].use < stacks->stacks[found].use)
            found = i;
    }
    struct kept_stack *kept = &stacks->stacks[found];
    if (kept->end != end)
        kept->len = 0;
    kept->end = end;
    kept->use = ++stacks->uses;
    return found;
}

size_t kept_stack_same_len(const struct kept_stack *kept, const unsigned char *bytes, size_t len)
{
    size_t limit = len < kept->len ? len : kept->len, same = 0;
    if (limit == 0)
        return 0;
    const unsigned char *end = bytes + len, *kept_end = kept->buffer + kept->capacity;
    while (limit - same >= COMPARED_LEN &&
           memcmp(end - same - COMPARED_LEN, kept_end - same - COMPARED_LEN, COMPARED_LEN) == 0)
        same += COMPARED_LEN;
    while (same < limit && *(end - same - 1) == *(kept_end - same - 1))
        same++;
    return same;
}

/* Makes room for a stack of so many bytes, and moves there those that it has. */
static bool grow(struct kept_stack *kept, size_t len)
{
    if (len <= kept->capacity)
        return true;
    size_t capacity = 2 * kept->capacity > len ? 2 * kept->capacity : len;
    unsigned char *buffer = malloc(capacity);
    if (!buffer)
        return false;
    if (kept->len > 0)
        memcpy(buffer + capacity - kept->len, kept_stack_bytes(kept), kept->len);
    free(kept->buffer);
    kept->buffer = buffer;
    kept->capacity = capacity;
    return true;
}

bool kept_stack_update(struct kept_stack *kept, const unsigned char *bytes, size_t new_len, size_t len)
{
    if (!grow(kept, len)) {
        kept->len = 0;
        return false;
    }
    kept->len = len;
    if (new_len > 0)
        memcpy(kept->buffer + kept->capacity - len, bytes, new_len);
    return true;
}
