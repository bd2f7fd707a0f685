/* SPDX-License-Identifier: MIT */
/*
 * What an ELF file says about unwinding one function: an entry of its binary search table (.eh_frame_hdr), the frame
 * description that it leads to, and what that has in common with others (FDE and CIE of .eh_frame).
 *
 * libunwind trusts some of it: it takes a register's number as an index, divides, and asserts that there is a rule for
 * the frame's address. So an entry is copied and read through first, and libunwind is shown the copy. What is unusual
 * is refused, which costs the frames outside of that function.
 */
#ifndef UNWIND_ENTRY_H
#define UNWIND_ENTRY_H

#include "page_cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unwind_part { UNWIND_ROW, UNWIND_FDE, UNWIND_CIE, UNWIND_PART_COUNT };

struct unwind_entry {
    remote_addr table; /* the address that those in the row are relative to */
    struct {
        remote_addr address;
        uint32_t at, len; /* in bytes */
    } parts[UNWIND_PART_COUNT];
    bool has_expressions; /* which are evaluated at each use */
    bool is_signal;       /* the frame is one that the kernel made for a signal handler */
    unsigned char *bytes;
    uint32_t len;
};

/* Makes an empty entry with room for any. False without memory. */
bool unwind_entry_init(struct unwind_entry *entry);

/* Accepts a zeroed struct. */
void unwind_entry_deinit(struct unwind_entry *entry);

/* Finds the entry for an address of a module. False when there is none, or it is refused. */
bool unwind_entry_find(struct unwind_entry *entry, struct page_cache *cache, const struct native_module *module,
                       remote_addr address);

/* A copy for unwind_entry_destroy(); NULL without memory. */
struct unwind_entry *unwind_entry_copy(const struct unwind_entry *entry);

/* Accepts NULL. */
void unwind_entry_destroy(struct unwind_entry *entry);

/* The word at an address, with zeros for what the entry does not hold; false when that is all of it. */
bool unwind_entry_word(const struct unwind_entry *entry, remote_addr address, uint64_t *ret);

#endif
