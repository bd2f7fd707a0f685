/* SPDX-License-Identifier: MIT */
/*
 * The functions that were met, each once, with a number.
 */
#ifndef NATIVE_FUNCTION_STORE_H
#define NATIVE_FUNCTION_STORE_H

#include "arena.h"
#include "base/table.h"
#include "native/function.h"

struct function_store {
    struct arena bytes;
    const char **texts;
    uint32_t text_count, text_capacity;
    struct table texts_by_text;
    struct native_function *functions; /* without lines */
    uint32_t count, capacity;
    struct table functions_by_texts;
    uint32_t text_limit; /* FUNCTION_STORE_LIMIT; less for tests */
};

enum { FUNCTION_STORE_LIMIT = 1 << 20 }; /* functions, and texts; chromium has 700,000 functions in all */

/* Accepts a zeroed struct, which is a valid empty store. */
void function_store_deinit(struct function_store *store);

/*
 * Fills in the texts of a function, which may go away then, and its serial. Those of one beyond the limits are the same
 * for all. False, and nothing changed, without memory.
 */
bool function_store_intern(struct function_store *store, struct native_function *function);

#endif
