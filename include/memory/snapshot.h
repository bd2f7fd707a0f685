/* SPDX-License-Identifier: MIT */
/*
 * Copies of a target's memory that belong to one instant, as far as guard words can tell.
 *
 * A snapshot is itself a struct memory: whoever walks it need not know that it is one. It predicts what the walk will
 * read (the small blocks that the last walks read) and fetches all of it in one batch whose first and last pieces are
 * the guard words. What the prediction lacks is fetched when the walk asks for it, again with the guard words behind
 * it. If a guard's words never changed, and the caller knows that whoever changes the walked memory also changes them,
 * or did not run meanwhile, then what the walk saw was true at one instant.
 *
 *     snapshot_set_guards(snapshot, guards, 2);
 *     if (snapshot_take(snapshot) == MEMORY_OK) {
 *         walk(snapshot_memory(snapshot));
 *         is_true = snapshot_is_unchanged(snapshot, 0) && snapshot_is_unchanged(snapshot, 1);
 *     }
 */
#ifndef MEMORY_SNAPSHOT_H
#define MEMORY_SNAPSHOT_H

#include "base/error.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SNAPSHOT_GUARD_LIMIT = 512,
    SNAPSHOT_GUARD_LEN_LIMIT = 64, /* bytes */
    SNAPSHOT_PIECE_LIMIT = 512,
};

/* A few bytes that tell whether somebody ran. */
struct snapshot_guard {
    remote_addr address;
    uint32_t len;
};

struct snapshot;

/* The source must outlive the snapshot. */
struct error *snapshot_create(struct memory *source, struct snapshot **ret);

/* Accepts NULL. */
void snapshot_destroy(struct snapshot *snapshot);

/* What the walk reads. Valid as long as the snapshot. */
struct memory *snapshot_memory(struct snapshot *snapshot);

/* Says which words to guard with, from the next snapshot_take() on; count may be 0. */
void snapshot_set_guards(struct snapshot *snapshot, const struct snapshot_guard *guards, uint32_t count);

/*
 * Has further ranges read in the batch of the next snapshot_take(), at most SNAPSHOT_PIECE_LIMIT, which must be valid
 * until then; count may be 0. One that cannot be read, or not whole, gets a length of 0.
 */
void snapshot_set_pieces(struct snapshot *snapshot, struct memory_piece *pieces, uint32_t count);

/* From here on what the walks read is one interval younger: there can be several copies in each, for several threads.
 */
void snapshot_begin_interval(struct snapshot *snapshot);

/*
 * Forgets the last copies and reads guards, predicted blocks and guards. On success the guards can be looked at, and
 * the walk can begin, even if the guards changed already. A predicted block that is no longer mapped is left out.
 */
enum memory_status snapshot_take(struct snapshot *snapshot);

/* The bytes of a guard as they were read first by snapshot_take(). */
const void *snapshot_guard_bytes(const struct snapshot *snapshot, uint32_t guard);

/* Whether a guard was the same in every reading since snapshot_take() began, that one included. */
bool snapshot_is_unchanged(const struct snapshot *snapshot, uint32_t guard);

static inline void cleanup_snapshot_destroy(struct snapshot **snapshot)
{
    snapshot_destroy(*snapshot);
}

#define cleanup_snapshot __attribute__((cleanup(cleanup_snapshot_destroy)))

#endif
