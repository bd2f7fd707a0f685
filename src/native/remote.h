/* SPDX-License-Identifier: MIT */
/*
 * What libunwind sees of a target: saved registers, a copy of a stack, and the files of modules.
 */
#ifndef REMOTE_H
#define REMOTE_H

#include "memory/registers.h"
#include "native/modules.h"
#include "page_cache.h"
#include "unwind_entry.h"

#include <stdbool.h>
#include <stdint.h>

#include <libunwind.h>

struct remote {
    struct modules *modules;
    struct page_cache *cache;
    const unsigned char *stack; /* the copy of its bytes from stack_start on */
    remote_addr stack_start;
    size_t stack_len;
    uint64_t registers[REGISTER_COUNT];
    uint64_t known;                   /* a bit for each register that has its value */
    const struct unwind_entry *entry; /* that was checked, and is to be seen in place of the file; or NULL */
    const struct native_module
        *described;      /* while rules are made of the entry: its module. Nothing else is seen then */
    uint32_t reads_left; /* of memory, for libunwind */
    bool is_beyond;      /* something was not found that lies further out than the copy of the stack */
};

/* NULL without memory. Its argument is a struct remote. */
unw_addr_space_t remote_space_create(void);

/* Reads a word of the copied stack. */
bool remote_read_stack(struct remote *remote, remote_addr address, uint64_t *ret);

#endif
