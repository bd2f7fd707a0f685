/* SPDX-License-Identifier: MIT */
#include "memory/snapshot.h"

#include "base/cleanup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    /*
     * What is copied and kept. Small, as the caches are cold after each wake-up and every line that is copied costs:
     * with whole pages, a sample of a few frames was measured to cost some 5 % more.
     */
    BLOCK_LEN = 256,
    BLOCK_FIRST_CAPACITY = 4096,
    BLOCK_LIMIT = 1 << 18, /* 64 MB: a hundred thousand frames in the heap have about 50 */
    PAGE_LEN = 4096, /* what is read around a block that was not predicted; never more than a page of the kernel */
    LARGE_READ_LEN = 32768, /* a read of more bytes than this is not kept: it will hardly be read again */
    GAP_LIMIT = 8, /* blocks that nobody reads between two that are: to copy them costs less than one more piece */
    KEPT_INTERVALS = 16,     /* a block that no walk read for so long is no longer predicted, */
    KEPT_ONCE_INTERVALS = 2, /* or for so long when that was in one interval only */
    FEW_OTHERS = 4,          /* so many ranges of the caller's are looked through for blocks */
    RETRY_LIMIT = 16,        /* batches begun again because a predicted block was gone */
    HASH_FIRST_CAPACITY = 1024,
    PIECES_FOR_OTHERS = 2 * SNAPSHOT_GUARD_LIMIT + SNAPSHOT_PIECE_LIMIT,
};

struct block {
    remote_addr address;
    uint32_t last_used; /* number of the interval in which a walk read it last */
    uint32_t uses;      /* in how many intervals one did */
};

struct snapshot {
    struct memory memory;
    struct memory *source;

    struct snapshot_guard guards[SNAPSHOT_GUARD_LIMIT];
    uint32_t guard_count;
    unsigned char first_guards[SNAPSHOT_GUARD_LIMIT][SNAPSHOT_GUARD_LEN_LIMIT];
    unsigned char last_guards[SNAPSHOT_GUARD_LIMIT][SNAPSHOT_GUARD_LEN_LIMIT];
    bool is_changed[SNAPSHOT_GUARD_LIMIT];

    struct memory_piece *others; /* what the caller wants to have besides */
    uint32_t other_count;

    /* Block i is copied to copies + i * BLOCK_LEN. The first predicted_count blocks are sorted by address. */
    struct block *blocks;
    uint32_t block_count;
    uint32_t block_capacity; /* of blocks, of copies, and of pieces besides those for others */
    uint32_t predicted_count;
    uint32_t interval;
    uint32_t last_found; /* block that the last look-up found */
    unsigned char *copies;
    uint32_t *hash;         /* address of a block -> index + 1; 0 is free */
    uint32_t hash_capacity; /* a power of two */
    struct memory_piece *pieces;
};

static enum memory_status read_through_copies(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                              size_t *ret_done);

static const void *view_copy(struct memory *memory, remote_addr address, size_t len);
static bool lacks_copy(struct memory *memory, const struct memory_range *range);
static void copy_expected(struct memory *memory, const struct memory_range *ranges, size_t count);

static const struct memory_ops snapshot_ops = {
    .read = read_through_copies, .view = view_copy, .lacks = lacks_copy, .expect = copy_expected};

/* Lets an array have room for `count` elements; false, and the array is as it was, without memory. */
static bool resize(void *array_address, size_t count, size_t element_len)
{
    void **array = array_address;
    void *bytes = realloc(*array, count * element_len);
    if (bytes)
        *array = bytes;
    return bytes != NULL;
}

static bool set_capacity(struct snapshot *snapshot, uint32_t capacity)
{
    if (!resize(&snapshot->blocks, capacity, sizeof(*snapshot->blocks)) ||
        !resize(&snapshot->copies, capacity, BLOCK_LEN) ||
        !resize(&snapshot->pieces, capacity + (size_t)PIECES_FOR_OTHERS, sizeof(*snapshot->pieces)))
        return false;
    snapshot->block_capacity = capacity;
    return true;
}

struct error *snapshot_create(struct memory *source, struct snapshot **ret)
{
    cleanup_snapshot struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (!snapshot)
        return error_no_memory();
    snapshot->memory.ops = &snapshot_ops;
    snapshot->source = source;
    snapshot->hash = calloc(HASH_FIRST_CAPACITY, sizeof(*snapshot->hash));
    snapshot->hash_capacity = HASH_FIRST_CAPACITY;
    if (!snapshot->hash || !set_capacity(snapshot, BLOCK_FIRST_CAPACITY))
        return error_no_memory();
    *ret = hand_over(&snapshot);
    return NULL;
}

void snapshot_destroy(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    free(snapshot->blocks);
    free(snapshot->copies);
    free(snapshot->hash);
    free(snapshot->pieces);
    free(snapshot);
}

struct memory *snapshot_memory(struct snapshot *snapshot)
{
    return &snapshot->memory;
}

void snapshot_set_guards(struct snapshot *snapshot, const struct snapshot_guard *guards, uint32_t count)
{
    assert(count <= SNAPSHOT_GUARD_LIMIT);
    for (uint32_t i = 0; i < count; i++)
        assert(guards[i].len <= SNAPSHOT_GUARD_LEN_LIMIT);
    memcpy(snapshot->guards, guards, count * sizeof(*guards));
    snapshot->guard_count = count;
}

void snapshot_set_pieces(struct snapshot *snapshot, struct memory_piece *pieces, uint32_t count)
{
    assert(count <= SNAPSHOT_PIECE_LIMIT);
    snapshot->others = pieces;
    snapshot->other_count = count;
}

const void *snapshot_guard_bytes(const struct snapshot *snapshot, uint32_t guard)
{
    return snapshot->first_guards[guard];
}

bool snapshot_is_unchanged(const struct snapshot *snapshot, uint32_t guard)
{
    return !snapshot->is_changed[guard];
}

/* The place in the hash where a block is, or where it would go. */
static uint32_t *find_slot(struct snapshot *snapshot, remote_addr address)
{
    uint32_t mask = snapshot->hash_capacity - 1;
    uint32_t i = (uint32_t)((address / BLOCK_LEN * 0x9e3779b97f4a7c15U) >> 40) & mask;
    while (snapshot->hash[i] != 0 && snapshot->blocks[snapshot->hash[i] - 1].address != address)
        i = (i + 1) & mask;
    return &snapshot->hash[i];
}

/* Makes the hash anew, with room for `count` blocks, of which at most half is used. False without memory. */
static bool rehash(struct snapshot *snapshot, uint32_t count)
{
    uint32_t capacity = HASH_FIRST_CAPACITY;
    while (capacity < 2 * count)
        capacity *= 2;
    if (capacity > snapshot->hash_capacity && !resize(&snapshot->hash, capacity, sizeof(*snapshot->hash)))
        return false;
    snapshot->hash_capacity = capacity;
    memset(snapshot->hash, 0, capacity * sizeof(snapshot->hash[0]));
    for (uint32_t i = 0; i < snapshot->block_count; i++)
        *find_slot(snapshot, snapshot->blocks[i].address) = i + 1;
    return true;
}

/* Makes room for more blocks. False when there is none to be had. */
static bool make_room(struct snapshot *snapshot, size_t count)
{
    size_t wanted = snapshot->block_count + count;
    if (wanted > BLOCK_LIMIT)
        return false;
    uint32_t capacity = snapshot->block_capacity;
    while (capacity < wanted)
        capacity *= 2;
    if (capacity != snapshot->block_capacity && !set_capacity(snapshot, capacity))
        return false;
    return 2 * wanted <= snapshot->hash_capacity || rehash(snapshot, 2 * (uint32_t)wanted);
}

/* The index of a block; block_count when it has no copy. Walks go from one block to its neighbour most of the time. */
static uint32_t find_block(struct snapshot *snapshot, remote_addr address)
{
    uint32_t last = snapshot->last_found, first = last > 0 ? last - 1 : 0;
    for (uint32_t i = first; i <= last + 1 && i < snapshot->block_count; i++) {
        if (snapshot->blocks[i].address == address)
            return i;
    }
    uint32_t slot = *find_slot(snapshot, address);
    return slot == 0 ? snapshot->block_count : slot - 1;
}

/* Returns the copy of a block and notes its use; NULL when there is none. */
static const unsigned char *find_copy(struct snapshot *snapshot, remote_addr address)
{
    uint32_t found = find_block(snapshot, address);
    if (found == snapshot->block_count)
        return NULL;
    snapshot->last_found = found;
    struct block *block = &snapshot->blocks[found];
    block->uses += block->last_used != snapshot->interval;
    block->last_used = snapshot->interval;
    return snapshot->copies + (size_t)found * BLOCK_LEN;
}

static int compare_blocks(const void *a, const void *b)
{
    remote_addr first = ((const struct block *)a)->address, second = ((const struct block *)b)->address;
    return (first > second) - (first < second);
}

static bool is_read_lately(const struct snapshot *snapshot, const struct block *block)
{
    return snapshot->interval - block->last_used <= (block->uses > 1 ? KEPT_INTERVALS : KEPT_ONCE_INTERVALS);
}

/* Whether sorted blocks follow each other without a hole, and nothing but a few of them is between these two. */
static bool are_near(const struct snapshot *snapshot, uint32_t first, uint32_t second)
{
    return second - first <= GAP_LIMIT + 1 && snapshot->blocks[second].address - snapshot->blocks[first].address ==
                                                  (remote_addr)(second - first) * BLOCK_LEN;
}

/* Drops what was not read lately, but small gaps, of sorted blocks. Returns how many are left. */
static uint32_t drop_unread(struct snapshot *snapshot)
{
    uint32_t kept = 0, last = 0;
    for (uint32_t i = 0; i < snapshot->block_count; i++) {
        if (!is_read_lately(snapshot, &snapshot->blocks[i]))
            continue;
        uint32_t from = kept > 0 && are_near(snapshot, last, i) ? last + 1 : i;
        last = i;
        while (from <= i)
            snapshot->blocks[kept++] = snapshot->blocks[from++];
    }
    return kept;
}

/* Drops what was not read lately, and sorts the rest. */
static void predict(struct snapshot *snapshot)
{
    bool is_sorted = snapshot->block_count == snapshot->predicted_count;
    if (!is_sorted)
        qsort(snapshot->blocks, snapshot->block_count, sizeof(snapshot->blocks[0]), compare_blocks);
    uint32_t kept = drop_unread(snapshot);
    if (is_sorted && kept == snapshot->block_count)
        return;
    snapshot->block_count = snapshot->predicted_count = kept;
    /* There is room for as many blocks as there were. */
    rehash(snapshot, kept);
}

static uint32_t add_guard_pieces(struct snapshot *snapshot, uint32_t count,
                                 unsigned char destination[][SNAPSHOT_GUARD_LEN_LIMIT])
{
    for (uint32_t i = 0; i < snapshot->guard_count; i++) {
        snapshot->pieces[count++] = (struct memory_piece){
            .address = snapshot->guards[i].address,
            .destination = destination[i],
            .len = snapshot->guards[i].len,
        };
    }
    return count;
}

/* The place of a block's bytes in what the caller wants to have besides; NULL when they are not in there. */
static const unsigned char *find_in_others(const struct snapshot *snapshot, const struct block *block)
{
    uint32_t count = snapshot->other_count <= FEW_OTHERS ? snapshot->other_count : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct memory_piece *other = &snapshot->others[i];
        remote_addr offset = block->address - other->address;
        if (block->address >= other->address && other->len >= BLOCK_LEN && offset <= other->len - BLOCK_LEN)
            return (const unsigned char *)other->destination + offset;
    }
    return NULL;
}

/* Makes copies of the predicted blocks that were read for the caller. */
static void copy_from_others(struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->block_count && snapshot->other_count > 0; i++) {
        const unsigned char *bytes = find_in_others(snapshot, &snapshot->blocks[i]);
        if (bytes)
            memcpy(snapshot->copies + (size_t)i * BLOCK_LEN, bytes, BLOCK_LEN);
    }
}

/* Neighbouring blocks become one piece, as their copies are neighbours too. */
static uint32_t add_block_pieces(struct snapshot *snapshot, uint32_t count, uint32_t first, uint32_t end)
{
    remote_addr next = 0; /* behind the block before, if that is read as one */
    for (uint32_t i = first; i < end; i++) {
        remote_addr address = snapshot->blocks[i].address;
        if (find_in_others(snapshot, &snapshot->blocks[i]))
            continue;
        if (i > first && address == next)
            snapshot->pieces[count - 1].len += BLOCK_LEN;
        else
            snapshot->pieces[count++] = (struct memory_piece){
                .address = address,
                .destination = snapshot->copies + (size_t)i * BLOCK_LEN,
                .len = BLOCK_LEN,
            };
        next = address + BLOCK_LEN;
    }
    return count;
}

static uint32_t add_other_pieces(struct snapshot *snapshot, uint32_t count)
{
    for (uint32_t i = 0; i < snapshot->other_count; i++) {
        if (snapshot->others[i].len > 0)
            snapshot->pieces[count++] = snapshot->others[i];
    }
    return count;
}

static void compare_guards(struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->guard_count; i++) {
        if (memcmp(snapshot->first_guards[i], snapshot->last_guards[i], snapshot->guards[i].len) != 0)
            snapshot->is_changed[i] = true;
    }
}

/* Marks the blocks of a piece that could not be read, so that the next predict() drops them. */
static void forget_blocks(struct snapshot *snapshot, const struct memory_piece *piece)
{
    for (uint32_t i = 0; i < snapshot->block_count; i++) {
        if (snapshot->blocks[i].address - piece->address < piece->len)
            snapshot->blocks[i].last_used = snapshot->interval - KEPT_INTERVALS - 1;
    }
    snapshot->predicted_count = 0;
}

/* The same for one of the caller's. */
static void forget_other(struct snapshot *snapshot, const struct memory_piece *piece)
{
    for (uint32_t i = 0; i < snapshot->other_count; i++) {
        if (snapshot->others[i].destination == piece->destination)
            snapshot->others[i].len = 0;
    }
}

static void forget_others(struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->other_count; i++)
        snapshot->others[i].len = 0;
}

void snapshot_begin_interval(struct snapshot *snapshot)
{
    snapshot->interval++;
}

/* Reads all that is wanted, in one batch. *ret_is_again: something of it is gone, and forgotten, so try again. */
static enum memory_status read_all(struct snapshot *snapshot, bool *ret_is_again)
{
    size_t done;
    uint32_t blocks_begin = add_guard_pieces(snapshot, 0, snapshot->first_guards);
    uint32_t blocks_end = add_block_pieces(snapshot, blocks_begin, 0, snapshot->block_count);
    uint32_t others_end = add_other_pieces(snapshot, blocks_end);
    uint32_t count = add_guard_pieces(snapshot, others_end, snapshot->last_guards);
    enum memory_status status = memory_read_batch(snapshot->source, snapshot->pieces, count, &done);
    snapshot->memory.remote_reads = snapshot->source->remote_reads;
    *ret_is_again = status == MEMORY_FAULT && done >= blocks_begin && done < others_end;
    if (*ret_is_again && done < blocks_end)
        forget_blocks(snapshot, &snapshot->pieces[done]);
    else if (*ret_is_again)
        forget_other(snapshot, &snapshot->pieces[done]);
    return status;
}

enum memory_status snapshot_take(struct snapshot *snapshot)
{
    enum memory_status status = MEMORY_FAULT;
    bool is_again = true;
    for (int try = 0; try < RETRY_LIMIT && is_again; try++) {
        predict(snapshot);
        if (try == RETRY_LIMIT - 1)
            forget_others(snapshot);
        status = read_all(snapshot, &is_again);
    }
    if (status == MEMORY_OK) {
        copy_from_others(snapshot);
        memset(snapshot->is_changed, 0, snapshot->guard_count * sizeof(snapshot->is_changed[0]));
        compare_guards(snapshot);
    }
    snapshot->other_count = 0;
    return status;
}

/* Reads `count` pieces that stand at the start of the piece array, and the guards behind them. */
static enum memory_status read_guarded(struct snapshot *snapshot, uint32_t count)
{
    size_t done;
    uint32_t all = add_guard_pieces(snapshot, count, snapshot->last_guards);
    enum memory_status status = memory_read_batch(snapshot->source, snapshot->pieces, all, &done);
    snapshot->memory.remote_reads = snapshot->source->remote_reads;
    if (status == MEMORY_OK)
        compare_guards(snapshot);
    return status;
}

static enum memory_status read_uncopied(struct snapshot *snapshot, const struct memory_piece *piece)
{
    snapshot->pieces[0] = *piece;
    return read_guarded(snapshot, 1);
}

/*
 * Adds those blocks from one that holds `first` to one that holds `last` that have no copy yet. Only what a walk then
 * reads is predicted for the next sample.
 */
static void add_missing(struct snapshot *snapshot, remote_addr first, remote_addr last)
{
    first &= -(remote_addr)BLOCK_LEN;
    for (remote_addr at = first; at - first <= last - first; at += BLOCK_LEN) {
        uint32_t *slot = find_slot(snapshot, at);
        if (*slot != 0)
            continue;
        snapshot->blocks[snapshot->block_count] =
            (struct block){.address = at, .last_used = snapshot->interval - KEPT_INTERVALS};
        *slot = ++snapshot->block_count;
    }
}

/* Reads the blocks from the old_count-th on, which were added since. When that fails none of them was. */
static enum memory_status copy_added(struct snapshot *snapshot, uint32_t old_count)
{
    enum memory_status status = read_guarded(snapshot, add_block_pieces(snapshot, 0, old_count, snapshot->block_count));
    if (status != MEMORY_OK) {
        while (snapshot->block_count > old_count)
            *find_slot(snapshot, snapshot->blocks[--snapshot->block_count].address) = 0;
    }
    return status;
}

/* Copies what is missing of the pages around [address, address + len). */
static enum memory_status copy_missing(struct snapshot *snapshot, remote_addr address, size_t len)
{
    uint32_t old_count = snapshot->block_count;
    add_missing(snapshot, address & -(remote_addr)PAGE_LEN, (address + len - 1) | (PAGE_LEN - 1));
    return copy_added(snapshot, old_count);
}

/* Whether it can be read at all, as far as its numbers tell, and is small enough to be copied. */
static bool is_range_sound(const struct memory_range *range)
{
    return range->len > 0 && range->len <= LARGE_READ_LEN && range->address <= UINT64_MAX - range->len - PAGE_LEN;
}

static bool lacks_copy(struct memory *memory, const struct memory_range *range)
{
    struct snapshot *snapshot = (struct snapshot *)memory;
    if (!is_range_sound(range))
        return false;
    remote_addr first = range->address & -(remote_addr)BLOCK_LEN;
    for (remote_addr at = first; at < range->address + range->len; at += BLOCK_LEN) {
        if (find_block(snapshot, at) == snapshot->block_count)
            return true;
    }
    return false;
}

/* What cannot be read together is left to be read one by one. */
static void copy_expected(struct memory *memory, const struct memory_range *ranges, size_t count)
{
    struct snapshot *snapshot = (struct snapshot *)memory;
    uint32_t old_count = snapshot->block_count;
    for (size_t i = 0; i < count; i++) {
        if (is_range_sound(&ranges[i]) && make_room(snapshot, ranges[i].len / BLOCK_LEN + 2))
            add_missing(snapshot, ranges[i].address, ranges[i].address + ranges[i].len - 1);
    }
    if (snapshot->block_count > old_count)
        copy_added(snapshot, old_count);
}

/* Whether a read is small enough to be kept, and there is room for the pages around it. */
static bool is_kept(struct snapshot *snapshot, size_t len)
{
    return len <= LARGE_READ_LEN && make_room(snapshot, (len + PAGE_LEN + PAGE_LEN) / BLOCK_LEN);
}

static enum memory_status read_piece(struct snapshot *snapshot, const struct memory_piece *piece)
{
    if (piece->len == 0)
        return MEMORY_OK;
    if (piece->address + piece->len < piece->address)
        return MEMORY_FAULT;
    unsigned char *to = piece->destination;
    remote_addr at = piece->address;
    for (size_t left = piece->len; left > 0;) {
        remote_addr block = at & -(remote_addr)BLOCK_LEN;
        const unsigned char *copy = find_copy(snapshot, block);
        if (!copy && !is_kept(snapshot, left))
            return read_uncopied(snapshot, &(struct memory_piece){at, to, left});
        if (!copy) {
            enum memory_status status = copy_missing(snapshot, at, left);
            if (status != MEMORY_OK)
                return status;
            continue;
        }
        size_t offset = (size_t)(at - block);
        size_t len = left < BLOCK_LEN - offset ? left : BLOCK_LEN - offset;
        memcpy(to, copy + offset, len);
        to += len;
        at += len;
        left -= len;
    }
    return MEMORY_OK;
}

/* What is in one block, or in two whose copies are neighbours. */
static const void *view_copy(struct memory *memory, remote_addr address, size_t len)
{
    struct snapshot *snapshot = (struct snapshot *)memory;
    remote_addr block = address & -(remote_addr)BLOCK_LEN;
    size_t offset = (size_t)(address - block);
    const unsigned char *copy = find_copy(snapshot, block);
    if (!copy || len <= BLOCK_LEN - offset)
        return copy ? copy + offset : NULL;
    if (len - (BLOCK_LEN - offset) > BLOCK_LEN || find_copy(snapshot, block + BLOCK_LEN) != copy + BLOCK_LEN)
        return NULL;
    return copy + offset;
}

static enum memory_status read_through_copies(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                              size_t *ret_done)
{
    struct snapshot *snapshot = (struct snapshot *)memory;
    for (*ret_done = 0; *ret_done < count; (*ret_done)++) {
        enum memory_status status = read_piece(snapshot, &pieces[*ret_done]);
        if (status != MEMORY_OK)
            return status;
    }
    return MEMORY_OK;
}
