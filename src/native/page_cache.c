/* SPDX-License-Identifier: MIT */
#include "page_cache.h"

#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_LEN = 4096,  /* bytes; pages of files need not be those of the kernel */
    PAGE_COUNT = 256, /* to find the rules for one address takes about five */
};

struct page {
    uint32_t module; /* its number */
    bool is_used;
    bool is_readable; /* false: the file says nothing about it, and need not be asked again */
    uint64_t address; /* of the file */
    unsigned char bytes[PAGE_LEN];
};

/* Each page has one place, which it shares with many others. */
struct page_cache {
    struct page pages[PAGE_COUNT];
};

struct page_cache *page_cache_create(void)
{
    return calloc(1, sizeof(struct page_cache));
}

void page_cache_destroy(struct page_cache *cache)
{
    free(cache);
}

static const struct page *get_page(struct page_cache *cache, const struct native_module *module, uint64_t address)
{
    struct page *page = &cache->pages[hash_pair(module->number, address) % PAGE_COUNT];
    if (page->is_used && page->module == module->number && page->address == address)
        return page;
    page->is_used = true;
    page->module = module->number;
    page->address = address;
    page->is_readable = module->image && image_read(module->image, address, page->bytes, PAGE_LEN);
    return page;
}

bool page_cache_read(struct page_cache *cache, const struct native_module *module, remote_addr address,
                     void *destination, size_t len)
{
    uint64_t at = address - module->bias;
    for (unsigned char *to = destination; len > 0;) {
        uint64_t into_page = at % PAGE_LEN;
        size_t part = len < PAGE_LEN - into_page ? len : PAGE_LEN - into_page;
        const struct page *page = get_page(cache, module, at - into_page);
        if (!page->is_readable)
            return false;
        memcpy(to, page->bytes + into_page, part);
        to += part;
        at += part;
        len -= part;
    }
    return true;
}
