/* SPDX-License-Identifier: MIT */
/*
 * Whether a call stands before an address: a word on a stack that leads behind none is no return address.
 */
#ifndef CALL_SITE_H
#define CALL_SITE_H

#include "page_cache.h"

#include <stdbool.h>

/* False also when the code cannot be read. */
bool call_site_is(struct page_cache *cache, const struct native_module *module, remote_addr address);

#endif
