/* SPDX-License-Identifier: MIT */
#include "pprof_message.h"

#include <stdlib.h>

/* What unpacking may take yet. */
struct budget {
    size_t left;
    bool is_spent; /* more was wanted */
};

static void *budget_allocate(void *context, size_t size)
{
    struct budget *budget = context;
    if (size > budget->left) {
        budget->is_spent = true;
        return NULL;
    }
    budget->left -= size;
    return malloc(size);
}

static void budget_free(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static struct error *unpack(struct pprof_message *message, const void *bytes, size_t len, size_t memory_limit)
{
    struct budget budget = {.left = memory_limit};
    ProtobufCAllocator allocator = {budget_allocate, budget_free, &budget};
    message->profile = pprof__profile__unpack(&allocator, len, bytes);
    if (message->profile)
        return NULL;
    if (budget.is_spent)
        return error_create(ERROR_BAD_DATA, "%s takes more memory than a profile should", message->name);
    return error_create(ERROR_BAD_DATA,
                        "%s is nothing that can be read: neither a recording, nor a pprof file, nor collapsed stacks",
                        message->name);
}

static bool function_equals(const void *context, uint32_t index, const void *key)
{
    return ((const Pprof__Profile *)context)->function[index]->id == *(const uint64_t *)key;
}

static bool location_equals(const void *context, uint32_t index, const void *key)
{
    return ((const Pprof__Profile *)context)->location[index]->id == *(const uint64_t *)key;
}

static bool mapping_equals(const void *context, uint32_t index, const void *key)
{
    return ((const Pprof__Profile *)context)->mapping[index]->id == *(const uint64_t *)key;
}

uint32_t pprof_message_function(const struct pprof_message *message, uint64_t id)
{
    return table_find(&message->functions, hash_number(id), function_equals, message->profile, &id);
}

uint32_t pprof_message_location(const struct pprof_message *message, uint64_t id)
{
    return table_find(&message->locations, hash_number(id), location_equals, message->profile, &id);
}

uint32_t pprof_message_mapping(const struct pprof_message *message, uint64_t id)
{
    return table_find(&message->mappings, hash_number(id), mapping_equals, message->profile, &id);
}

/* Adds an id, which `found` tells whether it is there already. */
static struct error *add_id(const struct pprof_message *message, struct table *table, uint32_t found, uint64_t id,
                            size_t index)
{
    if (found != TABLE_NONE || index >= TABLE_NONE)
        return pprof_message_refuse(message, "it has an id twice");
    return table_insert(table, hash_number(id), (uint32_t)index) ? NULL : error_no_memory();
}

static struct error *add_ids(struct pprof_message *message)
{
    const Pprof__Profile *profile = message->profile;
    struct error *error = NULL;
    for (size_t i = 0; !error && i < profile->n_function; i++) {
        uint64_t id = profile->function[i]->id;
        error = add_id(message, &message->functions, pprof_message_function(message, id), id, i);
    }
    for (size_t i = 0; !error && i < profile->n_location; i++) {
        uint64_t id = profile->location[i]->id;
        error = add_id(message, &message->locations, pprof_message_location(message, id), id, i);
    }
    for (size_t i = 0; !error && i < profile->n_mapping; i++) {
        uint64_t id = profile->mapping[i]->id;
        error = add_id(message, &message->mappings, pprof_message_mapping(message, id), id, i);
    }
    return error;
}

struct error *pprof_message_init(struct pprof_message *message, const char *name, const void *bytes, size_t len,
                                 size_t memory_limit)
{
    *message = (struct pprof_message){.name = name};
    struct error *error = unpack(message, bytes, len, memory_limit);
    return error ? error : add_ids(message);
}

void pprof_message_deinit(struct pprof_message *message)
{
    ProtobufCAllocator allocator = {budget_allocate, budget_free, NULL};
    if (message->profile)
        pprof__profile__free_unpacked(message->profile, &allocator);
    table_deinit(&message->functions);
    table_deinit(&message->locations);
    table_deinit(&message->mappings);
    *message = (struct pprof_message){0};
}

struct error *pprof_message_refuse(const struct pprof_message *message, const char *why)
{
    return error_create(ERROR_BAD_DATA, "%s is damaged: %s", message->name, why);
}

const char *pprof_message_text(struct pprof_message *message, int64_t string)
{
    const Pprof__Profile *profile = message->profile;
    if (string >= 0 && (uint64_t)string < profile->n_string_table)
        return profile->string_table[string];
    message->has_wrong_string |= string != 0; /* a file without strings has no empty one either */
    return "";
}
