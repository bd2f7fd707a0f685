/* SPDX-License-Identifier: MIT */
/*
 * Reading the memory of a target, whatever the target is: a live process, a copy of a few of its pages, a test's bytes.
 *
 * Whoever reads never learns where the bytes come from. The door is batch-first: one call takes a list of pieces, and
 * an implementation fetches them with as few system calls as it can. Nothing here allocates.
 */
#ifndef MEMORY_MEMORY_H
#define MEMORY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address in the target. Never a pointer, so that it cannot be dereferenced by accident. */
typedef uint64_t remote_addr;

enum memory_status {
    MEMORY_OK,
    MEMORY_FAULT,  /* an address is not mapped in the target */
    MEMORY_DENIED, /* the kernel does not let us read this target */
    MEMORY_GONE,   /* the target has ended */
};

/* One range to read, and where its bytes go. */
struct memory_piece {
    remote_addr address;
    void *destination;
    size_t len;
};

/* One range that is going to be read. */
struct memory_range {
    remote_addr address;
    size_t len;
};

struct memory;

struct memory_ops {
    /*
     * Reads the pieces in the order in which they are given. *ret_done is the number of leading pieces that were read
     * whole; it equals count exactly when MEMORY_OK is returned. What is at the destination of a piece that was not
     * read whole is undefined.
     */
    enum memory_status (*read)(struct memory *memory, const struct memory_piece *pieces, size_t count,
                               size_t *ret_done);
    /* See memory_view(); NULL where there are no copies. */
    const void *(*view)(struct memory *memory, remote_addr address, size_t len);
    /* See memory_lacks() and memory_expect(); NULL where all reads cost the same. */
    bool (*lacks)(struct memory *memory, const struct memory_range *range);
    void (*expect)(struct memory *memory, const struct memory_range *ranges, size_t count);
};

/* An implementation embeds this as its first member. */
struct memory {
    const struct memory_ops *ops;
    uint64_t remote_reads; /* batches that went to the target itself; kept by the implementation */
};

/* See memory_ops.read; count may be 0. */
enum memory_status memory_read_batch(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                     size_t *ret_done);

/* Reads one range. */
enum memory_status memory_read(struct memory *memory, remote_addr address, void *destination, size_t len);

/*
 * Where the bytes of a range are in our own memory already, until something else is read; NULL: they have to be read.
 * For who reads much, as it copies nothing.
 */
static inline const void *memory_view(struct memory *memory, remote_addr address, size_t len)
{
    return memory->ops->view ? memory->ops->view(memory, address, len) : NULL;
}

/* Reads one little-endian number; *ret is untouched on failure. */
enum memory_status memory_read_u64(struct memory *memory, remote_addr address, uint64_t *ret);
enum memory_status memory_read_u32(struct memory *memory, remote_addr address, uint32_t *ret);

/* Whether to read a range takes a read of the target itself, where others do not. */
bool memory_lacks(struct memory *memory, const struct memory_range *range);

/* A hint that these ranges are going to be read: those that are lacking are fetched together, if they can be. */
void memory_expect(struct memory *memory, const struct memory_range *ranges, size_t count);

#endif
