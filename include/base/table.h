/* SPDX-License-Identifier: MIT */
/*
 * A hash table from keys to indexes of the caller's own array.
 *
 * The table stores only hashes and indexes; keys stay in the caller's array and are compared by the caller's function.
 * Entries are never removed one by one. A zeroed struct is a valid empty table.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLE_NONE = UINT32_MAX }; /* "no such entry"; never a valid index */

struct table_slot {
    uint32_t hash;
    uint32_t index;
};

struct table {
    struct table_slot *slots;
    uint32_t capacity; /* 0 or a power of two */
    uint32_t count;
};

/* Whether element `index` of the caller's array (reached through context) has this key. */
typedef bool (*table_equal)(const void *context, uint32_t index, const void *key);

void table_deinit(struct table *table);

/* Returns the index stored for the key, or TABLE_NONE. */
uint32_t table_find(const struct table *table, uint64_t hash, table_equal equal, const void *context, const void *key);

/* Adds an index whose key is not in the table yet. Returns false, and changes nothing, without memory. */
bool table_insert(struct table *table, uint64_t hash, uint32_t index);

/* Forgets all entries and keeps the memory. */
void table_clear(struct table *table);

/* Another in each process: nothing that is to be the same in two runs may depend on them. */
uint64_t hash_bytes(const void *bytes, size_t len);
uint64_t hash_number(uint64_t number);

/* Mixes two hashes; the order matters. */
uint64_t hash_pair(uint64_t first, uint64_t second);

/*
 * Doubles a malloc'ed array of elements of element_size bytes when count has reached *capacity. Returns false, and
 * changes nothing, without memory.
 */
bool array_grow(void *array, uint32_t count, uint32_t *capacity, size_t element_size);

#endif
