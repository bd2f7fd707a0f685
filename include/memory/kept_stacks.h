/* SPDX-License-Identifier: MIT */
/*
 * The bytes of stacks as they were when they were copied last. A stack grows downwards: its end stays where it is, and
 * by which it is known here, and from one copy to the next most of its last bytes are the same.
 */
#ifndef MEMORY_KEPT_STACKS_H
#define MEMORY_KEPT_STACKS_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEPT_STACK_LIMIT = 32 }; /* stacks; with more, that which was asked for longest ago is forgotten */

struct kept_stack {
    remote_addr end;
    unsigned char *buffer; /* of which the last `len` bytes are those of the stack */
    size_t len, capacity;
    uint64_t use; /* when it was asked for last */
};

struct kept_stacks {
    struct kept_stack stacks[KEPT_STACK_LIMIT];
    uint64_t uses;
};

/* Accepts a zeroed struct, which keeps nothing. */
void kept_stacks_deinit(struct kept_stacks *stacks);

void kept_stacks_forget(struct kept_stacks *stacks);

/* The place of the stack with an end; where it was not kept, one with no bytes. */
uint32_t kept_stacks_find(struct kept_stacks *stacks, remote_addr end);

/* How many of the last bytes of a stack are those that it had. */
size_t kept_stack_same_len(const struct kept_stack *kept, const unsigned char *bytes, size_t len);

/*
 * Makes a stack one of len bytes, of which the first new_len are given, and the others are the last ones that it had.
 * False without memory: then it has none.
 */
bool kept_stack_update(struct kept_stack *kept, const unsigned char *bytes, size_t new_len, size_t len);

static inline const unsigned char *kept_stack_bytes(const struct kept_stack *kept)
{
    return kept->buffer + kept->capacity - kept->len;
}

#endif
