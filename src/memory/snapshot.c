/* SPDX-License-Identifier: MIT */
#include "memory/snapshot.h"

#include "base/cleanup.h"

#include <string.h>

enum {
    PAGE_LEN = 4096, /* bytes; any power of two up to the kernel's page size would do */
    PAGE_LIMIT = 1024,
    LARGE_READ_PAGES = 8, /* a read of more pages than this is not kept: it will hardly be read again */
    KEPT_SAMPLES = 8,     /* a page that so many walks did not read is no longer predicted */
    RETRY_LIMIT = 4,      /* batches begun again because a predicted page was gone */
    HASH_CAPACITY = 4 * PAGE_LIMIT,
    PIECE_LIMIT = PAGE_LIMIT + 2 * SNAPSHOT_GUARD_LIMIT,
};

struct page {
    remote_addr address;
    uint32_t last_used; /* number of the sample whose walk read it last */
};

struct snapshot {
    struct memory memory;
    struct memory *source;

    struct snapshot_guard guards[SNAPSHOT_GUARD_LIMIT];
    uint32_t guard_count;
    unsigned char first_guards[SNAPSHOT_GUARD_LIMIT][SNAPSHOT_GUARD_LEN_LIMIT];
    unsigned char last_guards[SNAPSHOT_GUARD_LIMIT][SNAPSHOT_GUARD_LEN_LIMIT];
    bool is_changed;

    /* Page i is copied to copies + i * PAGE_LEN. The first predicted_count pages are sorted by address. */
    struct page pages[PAGE_LIMIT];
    uint32_t page_count;
    uint32_t predicted_count;
    uint32_t sample;
    uint32_t last_found; /* page that the last look-up found */
    unsigned char *copies;
    uint16_t hash[HASH_CAPACITY]; /* page number -> index + 1; 0 is free */

    struct memory_piece pieces[PIECE_LIMIT];
};

static enum memory_status read_through_copies(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                              size_t *ret_done);

static const struct memory_ops snapshot_ops = {.read = read_through_copies};

struct error *snapshot_create(struct memory *source, struct snapshot **ret)
{
    cleanup_snapshot struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    if (!snapshot)
        return error_no_memory();
    snapshot->memory.ops = &snapshot_ops;
    snapshot->source = source;
    snapshot->copies = malloc((size_t)PAGE_LIMIT * PAGE_LEN);
    if (!snapshot->copies)
        return error_no_memory();
    *ret = hand_over(&snapshot);
    return NULL;
}

void snapshot_destroy(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    free(snapshot->copies);
    free(snapshot);
}

struct memory *snapshot_memory(struct snapshot *snapshot)
{
    return &snapshot->memory;
}

void snapshot_set_guards(struct snapshot *snapshot, const struct snapshot_guard *guards, uint32_t count)
{
    memcpy(snapshot->guards, guards, count * sizeof(*guards));
    snapshot->guard_count = count;
}

const void *snapshot_guard_bytes(const struct snapshot *snapshot, uint32_t guard)
{
    return snapshot->first_guards[guard];
}

bool snapshot_is_unchanged(const struct snapshot *snapshot)
{
    return !snapshot->is_changed;
}

/* The place in the hash where a page is, or where it would go. */
static uint16_t *find_slot(struct snapshot *snapshot, remote_addr address)
{
    uint64_t number = address / PAGE_LEN;
    uint32_t i = (uint32_t)((number * 0x9e3779b97f4a7c15U) >> 40) % HASH_CAPACITY;
    while (snapshot->hash[i] != 0 && snapshot->pages[snapshot->hash[i] - 1].address != address)
        i = (i + 1) % HASH_CAPACITY;
    return &snapshot->hash[i];
}

/* Returns the copy of a page and notes its use; NULL when there is none. */
static const unsigned char *find_copy(struct snapshot *snapshot, remote_addr page_address)
{
    uint32_t found = snapshot->last_found;
    if (found >= snapshot->page_count || snapshot->pages[found].address != page_address) {
        uint16_t index = *find_slot(snapshot, page_address);
        if (index == 0)
            return NULL;
        found = snapshot->last_found = index - 1U;
    }
    snapshot->pages[found].last_used = snapshot->sample;
    return snapshot->copies + (size_t)found * PAGE_LEN;
}

static int compare_pages(const void *a, const void *b)
{
    remote_addr first = ((const struct page *)a)->address, second = ((const struct page *)b)->address;
    return (first > second) - (first < second);
}

/* Drops what was not read lately, sorts the rest, and begins a new sample. */
static void predict(struct snapshot *snapshot)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < snapshot->page_count; i++) {
        if (snapshot->sample - snapshot->pages[i].last_used < KEPT_SAMPLES)
            snapshot->pages[kept++] = snapshot->pages[i];
    }
    bool is_same = kept == snapshot->predicted_count && kept == snapshot->page_count;
    snapshot->page_count = kept;
    snapshot->sample++;
    if (is_same)
        return;
    qsort(snapshot->pages, kept, sizeof(snapshot->pages[0]), compare_pages);
    snapshot->predicted_count = kept;
    memset(snapshot->hash, 0, sizeof(snapshot->hash));
    for (uint32_t i = 0; i < kept; i++)
        *find_slot(snapshot, snapshot->pages[i].address) = (uint16_t)(i + 1);
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

/* Neighbouring pages become one piece, as their copies are neighbours too. */
static uint32_t add_page_pieces(struct snapshot *snapshot, uint32_t count, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        if (i > first && snapshot->pages[i].address == snapshot->pages[i - 1].address + PAGE_LEN)
            snapshot->pieces[count - 1].len += PAGE_LEN;
        else
            snapshot->pieces[count++] = (struct memory_piece){
                .address = snapshot->pages[i].address,
                .destination = snapshot->copies + (size_t)i * PAGE_LEN,
                .len = PAGE_LEN,
            };
    }
    return count;
}

static void compare_guards(struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->guard_count; i++) {
        if (memcmp(snapshot->first_guards[i], snapshot->last_guards[i], snapshot->guards[i].len) != 0)
            snapshot->is_changed = true;
    }
}

/* Marks the pages of a piece that could not be read, so that the next predict() drops them. */
static void forget_pages(struct snapshot *snapshot, const struct memory_piece *piece)
{
    for (uint32_t i = 0; i < snapshot->page_count; i++) {
        if (snapshot->pages[i].address - piece->address < piece->len)
            snapshot->pages[i].last_used = snapshot->sample - KEPT_SAMPLES;
    }
    snapshot->predicted_count = 0;
}

enum memory_status snapshot_take(struct snapshot *snapshot)
{
    enum memory_status status = MEMORY_FAULT;
    for (int try = 0; try < RETRY_LIMIT; try++) {
        predict(snapshot);
        uint32_t pages_begin = add_guard_pieces(snapshot, 0, snapshot->first_guards);
        uint32_t pages_end = add_page_pieces(snapshot, pages_begin, 0, snapshot->page_count);
        uint32_t count = add_guard_pieces(snapshot, pages_end, snapshot->last_guards);
        size_t done;
        status = memory_read_batch(snapshot->source, snapshot->pieces, count, &done);
        snapshot->memory.remote_reads = snapshot->source->remote_reads;
        if (status == MEMORY_OK) {
            snapshot->is_changed = false;
            compare_guards(snapshot);
            return MEMORY_OK;
        }
        if (status != MEMORY_FAULT || done < pages_begin || done >= pages_end)
            break;
        forget_pages(snapshot, &snapshot->pieces[done]);
    }
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

/* Copies those pages of [first, first + page_count * PAGE_LEN) that have no copy yet. */
static enum memory_status copy_missing(struct snapshot *snapshot, remote_addr first, uint64_t page_count)
{
    uint32_t old_count = snapshot->page_count;
    for (uint64_t i = 0; i < page_count; i++) {
        remote_addr address = first + i * PAGE_LEN;
        uint16_t *slot = find_slot(snapshot, address);
        if (*slot != 0)
            continue;
        snapshot->pages[snapshot->page_count] = (struct page){.address = address, .last_used = snapshot->sample};
        *slot = (uint16_t)++snapshot->page_count;
    }
    if (snapshot->page_count == old_count)
        return MEMORY_OK;
    enum memory_status status = read_guarded(snapshot, add_page_pieces(snapshot, 0, old_count, snapshot->page_count));
    if (status != MEMORY_OK) {
        while (snapshot->page_count > old_count)
            *find_slot(snapshot, snapshot->pages[--snapshot->page_count].address) = 0;
    }
    return status;
}

static enum memory_status read_piece(struct snapshot *snapshot, const struct memory_piece *piece)
{
    if (piece->len == 0)
        return MEMORY_OK;
    if (piece->address + piece->len < piece->address)
        return MEMORY_FAULT;
    remote_addr first = piece->address & -(remote_addr)PAGE_LEN;
    uint64_t page_count = (piece->address + piece->len - 1 - first) / PAGE_LEN + 1;
    if (page_count > LARGE_READ_PAGES || snapshot->page_count + page_count > PAGE_LIMIT)
        return read_uncopied(snapshot, piece);
    unsigned char *to = piece->destination;
    remote_addr at = piece->address;
    for (size_t left = piece->len; left > 0;) {
        remote_addr page = at & -(remote_addr)PAGE_LEN;
        const unsigned char *copy = find_copy(snapshot, page);
        if (!copy) {
            enum memory_status status = copy_missing(snapshot, first, page_count);
            if (status != MEMORY_OK)
                return status;
            continue;
        }
        size_t offset = (size_t)(at - page);
        size_t len = left < PAGE_LEN - offset ? left : PAGE_LEN - offset;
        memcpy(to, copy + offset, len);
        to += len;
        at += len;
        left -= len;
    }
    return MEMORY_OK;
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
