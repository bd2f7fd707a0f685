/* SPDX-License-Identifier: MIT */
/*
 * Code objects that were decoded. An address can be reused for another code object, so an entry is compared with the
 * target's memory in every sample that meets it; decoding happens once.
 */
#ifndef PYTHON_CODE_CACHE_H
#define PYTHON_CODE_CACHE_H

#include "base/buffer.h"
#include "base/table.h"
#include "lines.h"
#include "memory/memory.h"
#include "python/code.h"
#include "python/status.h"

struct layout;
struct python_runtime;

enum { CODE_EXPECT_LIMIT = 64 }; /* code objects that can be expected at a time */

/* What tells one code object from another that took its place. */
struct code_identity {
    uint64_t filename, name, line_table; /* addresses */
    uint64_t version;                    /* co_version, or where there is none a fingerprint of names and lines */
    uint32_t first_line;
};

struct code_entry {
    struct python_code code;
    remote_addr address;
    struct code_identity identity;
    uint64_t checked_sample; /* the last sample in which identity was found to be true; 0: never decoded */
    uint64_t stack;          /* the last one that it was found in */
    int64_t start;           /* offset in bytes of the instruction with which the function begins; 0 to 3.10 */
    char *text;              /* name and filename point into it; owned */
    unsigned char *table;    /* the line table as the target has it, where the cache keeps tables; owned */
    size_t table_len;
    struct lines lines;
};

struct code_cache {
    const struct python_runtime *runtime;
    struct code_entry *entries;
    uint32_t count;
    uint32_t capacity;
    struct table by_address;
    uint64_t sample;
    uint32_t last_serial;
    size_t kept, sample_kept, stack_kept; /* bytes of entries: all, of the current sample, of its current stack, */
    size_t recent_kept;                   /* and what recent samples had use for */
    uint64_t stack;                       /* a number of that */
    bool keeps_tables;                    /* line tables are kept as they are, too: columns are found in them */
    struct buffer scratch;
};

/* The runtime must outlive the cache. */
void code_cache_init(struct code_cache *cache, const struct python_runtime *runtime);
void code_cache_deinit(struct code_cache *cache);

/* Begins a sample: indexes of the last one are no longer valid, and entries are to be compared again. */
void code_cache_begin_sample(struct code_cache *cache);

/* Begins a stack: what its code objects keep is bounded, too, so that something is left for other stacks. */
void code_cache_begin_stack(struct code_cache *cache);

/*
 * Finds the code object at an address, decoding it when it is new. The index is valid during this sample.
 * PYTHON_BAD_CODE is also said of one for which there is no room any more.
 */
enum python_status code_cache_find(struct code_cache *cache, struct memory *memory, remote_addr address,
                                   uint32_t *ret_index);

/*
 * Says that the code objects at these addresses are going to be found: what that takes of each is fetched together. A
 * hint.
 */
void code_cache_expect(const struct code_cache *cache, struct memory *memory, const remote_addr *addresses,
                       uint32_t count);

/* Whether an entry was found to be true in this sample already, and is the one that had this serial number. */
static inline bool code_cache_is_checked(const struct code_cache *cache, uint32_t index, uint32_t serial)
{
    return index < cache->count && cache->entries[index].checked_sample == cache->sample &&
           cache->entries[index].code.serial == serial;
}

#endif
