/* SPDX-License-Identifier: MIT */
/*
 * Names of code that a just-in-time compiler made: a text file with a line for each function, "START LEN NAME", the
 * first two as hexadecimal numbers (the Linux kernel's tools/perf/Documentation/jit-interface.txt). It grows while the
 * program runs. CPython 3.12 and later write one with -X perf.
 */
#ifndef NATIVE_JIT_NAMES_H
#define NATIVE_JIT_NAMES_H

#include "arena.h"
#include "memory/memory.h"
#include "native/modules.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct jit_function {
    remote_addr start;
    uint64_t len;
    uint32_t order; /* in the file: of two at one address, the later one is there now */
    const char *name;
};

struct jit_names {
    struct jit_function *functions; /* by address, then by order */
    uint32_t count, capacity;
    struct arena names;
    uint64_t read_len; /* bytes of the file that have been read */
    ino_t inode;
    uint64_t next_look_ns; /* when the file may be looked at again */
    uint32_t generation;   /* grows whenever names were added */
};

/* Accepts a zeroed struct, which has no names yet. */
void jit_names_deinit(struct jit_names *names);

/*
 * Reads what has been added to the file, unless that was tried a moment ago. Returns whether there are other names now.
 */
bool jit_names_update(struct jit_names *names, const struct modules *modules);

/* The function at an address; NULL when there is none. Valid until the next update. */
const struct jit_function *jit_names_find(const struct jit_names *names, remote_addr address);

#endif
