/* SPDX-License-Identifier: MIT */
/*
 * The test's own process as a target: its maps, its files, and copies of its own stack with what glibc says that it is.
 */
#ifndef OWN_PROCESS_H
#define OWN_PROCESS_H

#include "memory/maps.h"
#include "native/modules.h"
#include "native/unwinder.h"

enum { OWN_STACK_LIMIT = 4096 };

/* Opens files by their paths. */
extern const struct module_opener own_opener;

/* Reads the process's own memory, which must be there. */
extern struct memory own_memory;

/* Reads the maps as they are now; the caller deinits them. */
void own_maps_init(struct maps *maps);

struct own_stack {
    struct native_stack stack;    /* its first frame is that of own_stack_take() */
    void *truth[OWN_STACK_LIMIT]; /* addresses of glibc's backtrace(); the first is in own_stack_take() */
    int truth_count;
};

/* Copies the stack that it is called on, of which `end` is the end. The caller frees the bytes. */
void own_stack_take(struct own_stack *own, remote_addr end);

/* The end of the calling thread's stack. */
remote_addr own_stack_end(void);

#endif
