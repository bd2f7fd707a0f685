/* SPDX-License-Identifier: MIT */
/*
 * How to get from a frame to its caller, by module and address: libunwind's own rules, which it makes of the file's
 * unwind tables once, and which are kept. Modules' numbers never mean two, so that no rule is ever wrong.
 */
#ifndef RULES_H
#define RULES_H

#include "remote.h"

#include <stdbool.h>
#include <stdint.h>

struct rule {
    uint32_t module; /* its number */
    uint32_t state;  /* which; RULE_NONE: the file says nothing that can be used */
    remote_addr address;
    bool is_signal;             /* a frame that the kernel made: its caller was not calling */
    struct unwind_entry *entry; /* with the expressions of the state, or NULL */
};

struct rules;

/* NULL without memory. The space is that of remote_space_create(). */
struct rules *rules_create(unw_addr_space_t space);

/* Accepts NULL. */
void rules_destroy(struct rules *rules);

/*
 * The rule for an address of a module, which it is made of now if it must be; NULL: there is none, or no memory, or
 * remote->reads_left are too few. Valid until the next call.
 */
const struct rule *rules_find(struct rules *rules, struct remote *remote, const struct native_module *module,
                              remote_addr address);

/*
 * Takes a cursor of the remote to the caller's frame. Below 0: that failed, and the cursor cannot be used any more;
 * 0: there is no caller.
 */
int rules_apply(const struct rules *rules, const struct rule *rule, struct remote *remote, unw_cursor_t *cursor);

static inline void cleanup_rules_destroy(struct rules **rules)
{
    rules_destroy(*rules);
}

#define cleanup_rules __attribute__((cleanup(cleanup_rules_destroy)))

#endif
