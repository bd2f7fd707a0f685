/* SPDX-License-Identifier: MIT */
#include "base/table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    TABLE_FIRST_CAPACITY = 64,
    ARRAY_FIRST_CAPACITY = 16,
    ARRAY_CAPACITY_LIMIT = INT32_MAX,
};

void table_deinit(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}

static uint32_t fold_hash(uint64_t hash)
{
    return (uint32_t)(hash ^ (hash >> 32));
}

uint32_t table_find(const struct table *table, uint64_t hash, table_equal equal, const void *context, const void *key)
{
    if (table->capacity == 0)
        return TABLE_NONE;
    uint32_t folded = fold_hash(hash);
    uint32_t mask = table->capacity - 1;
    for (uint32_t i = folded & mask;; i = (i + 1) & mask) {
        const struct table_slot *slot = &table->slots[i];
        if (slot->index == TABLE_NONE)
            return TABLE_NONE;
        if (slot->hash == folded && equal(context, slot->index, key))
            return slot->index;
    }
}

static void place(struct table_slot *slots, uint32_t capacity, struct table_slot entry)
{
    uint32_t mask = capacity - 1;
    uint32_t i = entry.hash & mask;
    while (slots[i].index != TABLE_NONE)
        i = (i + 1) & mask;
    slots[i] = entry;
}

static bool grow(struct table *table)
{
    uint32_t capacity = table->capacity ? table->capacity * 2 : TABLE_FIRST_CAPACITY;
    struct table_slot *slots = malloc(capacity * sizeof(*slots));
    if (!slots)
        return false;
    memset(slots, 0xff, capacity * sizeof(*slots));
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].index != TABLE_NONE)
            place(slots, capacity, table->slots[i]);
    }
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return true;
}

bool table_insert(struct table *table, uint64_t hash, uint32_t index)
{
    bool is_three_quarters_full = table->count >= table->capacity / 4 * 3;
    if (is_three_quarters_full && !grow(table))
        return false;
    place(table->slots, table->capacity, (struct table_slot){fold_hash(hash), index});
    table->count++;
    return true;
}

void table_clear(struct table *table)
{
    if (table->slots)
        memset(table->slots, 0xff, table->capacity * sizeof(*table->slots));
    table->count = 0;
}

/*
 * Chosen once in a process: who does not know it cannot make texts that all have one hash, and so have a table take
 * ages. The kernel gives each process 16 random bytes, getauxval(3).
 */
static uint64_t seed_of_process(void)
{
    static _Atomic uint64_t chosen; /* 0: not yet; two threads choose the same */
    uint64_t seed = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (seed != 0)
        return seed;
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (random)
        memcpy(&seed, random, sizeof(seed));
    seed |= 1;
    atomic_store_explicit(&chosen, seed, memory_order_relaxed);
    return seed;
}

/* The finaliser of splitmix64: every input bit changes about half of the output bits. */
uint64_t hash_number(uint64_t number)
{
    number += seed_of_process();
    number ^= number >> 30;
    number *= 0xbf58476d1ce4e5b9U;
    number ^= number >> 27;
    number *= 0x94d049bb133111ebU;
    return number ^ (number >> 31);
}

uint64_t hash_pair(uint64_t first, uint64_t second)
{
    return hash_number(hash_number(first) + second);
}

uint64_t hash_bytes(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t hash = len;
    for (; len >= sizeof(uint64_t); at += sizeof(uint64_t), len -= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        hash = hash_pair(hash, word);
    }
    uint64_t rest = 0;
    if (len > 0)
        memcpy(&rest, at, len);
    return hash_pair(hash, rest);
}

bool array_grow(void *array, uint32_t count, uint32_t *capacity, size_t element_size)
{
    if (count < *capacity)
        return true;
    if (*capacity > ARRAY_CAPACITY_LIMIT / 2)
        return false;
    uint32_t wanted = *capacity ? *capacity * 2 : ARRAY_FIRST_CAPACITY;
    void *old;
    memcpy(&old, array, sizeof(old));
    void *grown = realloc(old, wanted * element_size);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof(grown));
    *capacity = wanted;
    return true;
}
