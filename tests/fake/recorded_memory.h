/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a target at their addresses: what was read of it once. With a source, a read that is new goes there and is
 * kept; without one, what was never read faults. A byte that was read keeps its first value, so that who reads through
 * it sees the same as who reads the recording later.
 */
#ifndef RECORDED_MEMORY_H
#define RECORDED_MEMORY_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recorded_block {
    remote_addr address;
    size_t len;
    unsigned char *bytes; /* owned */
};

struct recorded_memory {
    struct memory memory;
    struct memory *source;         /* NULL: nothing is added */
    bool is_complete;              /* what comes from the source is not added either */
    struct recorded_block *blocks; /* by address; no two of them touch */
    uint32_t count, capacity;
    uint64_t pieces; /* asked for so far */
};

/* The source must outlive the recording, or be taken away before its end. */
void recorded_memory_init(struct recorded_memory *recorded, struct memory *source);
void recorded_memory_deinit(struct recorded_memory *recorded);

/* Forgets all bytes. */
void recorded_memory_clear(struct recorded_memory *recorded);

/* Adds bytes; those that are there already stay as they are. Returns false without memory, or past the last address. */
bool recorded_memory_add(struct recorded_memory *recorded, remote_addr address, const void *bytes, size_t len);

/* Bytes in all blocks. */
uint64_t recorded_memory_len(const struct recorded_memory *recorded);

#define cleanup_recorded_memory __attribute__((cleanup(recorded_memory_deinit)))

#endif
