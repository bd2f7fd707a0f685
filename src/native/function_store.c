/* SPDX-License-Identifier: MIT */
#include "function_store.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES_LIMIT = 256 << 20 }; /* of all texts */

void function_store_deinit(struct function_store *store)
{
    arena_clear(&store->bytes);
    free(store->texts);
    free(store->functions);
    table_deinit(&store->texts_by_text);
    table_deinit(&store->functions_by_texts);
    *store = (struct function_store){0};
}

static bool is_text(const void *context, uint32_t index, const void *key)
{
    const struct function_store *store = context;
    return strcmp(store->texts[index], key) == 0;
}

/* The one copy of a text; NULL without memory. */
static const char *intern_text(struct function_store *store, const char *text)
{
    if (!text[0])
        return "";
    uint64_t hash = hash_bytes(text, strlen(text));
    uint32_t index = table_find(&store->texts_by_text, hash, is_text, store, text);
    if (index != TABLE_NONE)
        return store->texts[index];
    if (!array_grow(&store->texts, store->text_count, &store->text_capacity, sizeof(*store->texts)))
        return NULL;
    const char *copy = arena_copy(&store->bytes, text);
    if (!copy || !table_insert(&store->texts_by_text, hash, store->text_count))
        return NULL;
    store->texts[store->text_count++] = copy;
    return copy;
}

/* Texts are the same when their copies are. */
static bool is_function(const void *context, uint32_t index, const void *key)
{
    const struct function_store *store = context;
    const struct native_function *function = &store->functions[index], *other = key;
    return function->name == other->name && function->file == other->file && function->path == other->path;
}

static bool is_full(const struct function_store *store)
{
    uint32_t limit = store->text_limit ? store->text_limit : FUNCTION_STORE_LIMIT;
    return store->text_count + 4 > limit || store->bytes.total >= BYTES_LIMIT;
}

/* Gives a function whose texts are interned its number. */
static bool intern_function(struct function_store *store, struct native_function *function)
{
    uint64_t hash =
        hash_pair(hash_pair((uintptr_t)function->name, (uintptr_t)function->file), (uintptr_t)function->path);
    uint32_t index = table_find(&store->functions_by_texts, hash, is_function, store, function);
    if (index == TABLE_NONE) {
        index = store->count;
        if (!array_grow(&store->functions, index, &store->capacity, sizeof(*store->functions)) ||
            !table_insert(&store->functions_by_texts, hash, index))
            return false;
        store->functions[store->count++] = *function;
    }
    function->serial = index + 1;
    return true;
}

bool function_store_intern(struct function_store *store, struct native_function *function)
{
    struct native_function interned = *function;
    if (is_full(store)) {
        interned = (struct native_function){.name = "[too many functions]", .symbol = "", .file = "", .path = ""};
    } else {
        interned.name = intern_text(store, function->name);
        interned.symbol = intern_text(store, function->symbol);
        interned.file = intern_text(store, function->file);
        interned.path = intern_text(store, function->path);
    }
    if (!interned.name || !interned.symbol || !interned.file || !interned.path || !intern_function(store, &interned))
        return false;
    *function = interned;
    return true;
}
