/* SPDX-License-Identifier: MIT */
/*
 * From addresses of code to names: of functions, of source files and lines, and of those that were inlined.
 *
 * What is found is kept, so that an address that was asked for before costs one look into a table. All texts come from
 * files of the target and are hostile; they end with a NUL and hold none. The files are read in a process of our own
 * that can do nothing else (base/confined.h), which symbolizer_create() starts.
 */
#ifndef NATIVE_SYMBOLIZER_H
#define NATIVE_SYMBOLIZER_H

#include "base/error.h"
#include "memory/memory.h"
#include "native/function.h"
#include "native/modules.h"

#include <stdbool.h>
#include <stdint.h>

struct symbolizer;

/* The modules must outlive the symbolizer. */
struct error *symbolizer_create(struct modules *modules, struct symbolizer **ret);

/* Accepts NULL. */
void symbolizer_destroy(struct symbolizer *symbolizer);

/*
 * To be called when modules_update() was. What was found in modules that are still there is kept. The tables of a new
 * module are read when an address of it is asked for first: most modules never are, and it takes 5 ms for the largest.
 */
void symbolizer_update(struct symbolizer *symbolizer);

/*
 * The functions that an address is in, innermost first; at least one, except without memory, or with two million
 * addresses since the last update (*ret_count 0). is_call: see struct native_frame. Valid until the next
 * symbolizer_update().
 */
const struct native_function *symbolizer_find(struct symbolizer *symbolizer, remote_addr pc, bool is_call,
                                              uint32_t *ret_count);

static inline void cleanup_symbolizer_destroy(struct symbolizer **symbolizer)
{
    symbolizer_destroy(*symbolizer);
}

#define cleanup_symbolizer __attribute__((cleanup(cleanup_symbolizer_destroy)))

#endif
