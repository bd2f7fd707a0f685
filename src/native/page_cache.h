/* SPDX-License-Identifier: MIT */
/*
 * Bytes of the files of modules: a bounded number of their pages, read when they are asked for and kept until another
 * takes their place.
 */
#ifndef PAGE_CACHE_H
#define PAGE_CACHE_H

#include "native/modules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_cache;

/* NULL without memory. */
struct page_cache *page_cache_create(void);

/* Accepts NULL. */
void page_cache_destroy(struct page_cache *cache);

/* Copies what the file of a module says is at an address of the target. False when it does not say. */
bool page_cache_read(struct page_cache *cache, const struct native_module *module, remote_addr address,
                     void *destination, size_t len);

static inline void cleanup_page_cache_destroy(struct page_cache **cache)
{
    page_cache_destroy(*cache);
}

#define cleanup_page_cache __attribute__((cleanup(cleanup_page_cache_destroy)))

#endif
