/* SPDX-License-Identifier: MIT */
/*
 * A target's memory for tests: a few ranges of bytes at chosen addresses. Everything else faults.
 */
#ifndef FAKE_MEMORY_H
#define FAKE_MEMORY_H

#include "memory/memory.h"

enum { FAKE_RANGE_LIMIT = 64 };

struct fake_memory {
    struct memory memory;
    struct {
        remote_addr address;
        unsigned char *bytes; /* the test's own */
        size_t len;
    } ranges[FAKE_RANGE_LIMIT];
    unsigned range_count;

    /* Called after each piece that was read, so that a test can change the memory in the middle of a batch. */
    void (*after_piece)(struct fake_memory *fake, const struct memory_piece *piece);
};

void fake_memory_init(struct fake_memory *fake);

/* Maps the caller's bytes at an address. */
void fake_memory_map(struct fake_memory *fake, remote_addr address, void *bytes, size_t len);
void fake_memory_unmap(struct fake_memory *fake, remote_addr address);

#endif
