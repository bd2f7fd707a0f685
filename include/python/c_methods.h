/* SPDX-License-Identifier: MIT */
/*
 * What Python calls functions that were written in C: "list.sort", "builtins.sorted", "time.sleep". For files whose own
 * names of them were stripped: tables of methods, modules and types, which the interpreter needs, are found in their
 * data.
 */
#ifndef PYTHON_C_METHODS_H
#define PYTHON_C_METHODS_H

#include "base/error.h"
#include "memory/maps.h"
#include "memory/memory.h"
#include "python/data.h"

#include <stdint.h>

struct c_methods;

/* Looks through the data of one file. A file without tables has no names; memory that cannot be read has none either.
 */
struct error *c_methods_create(struct memory *memory, const struct maps *maps, const struct python_data *data,
                               struct c_methods **ret);

/* Accepts NULL. */
void c_methods_destroy(struct c_methods *methods);

/*
 * The name of the function that begins at an address; NULL when none is known. It is plain ASCII, and valid as long as
 * the methods. A method whose type or module was not found is only "sort"; of several names, one is taken that is the
 * same in each run.
 */
const char *c_methods_find(const struct c_methods *methods, remote_addr function);

uint32_t c_methods_count(const struct c_methods *methods);

static inline void cleanup_c_methods_destroy(struct c_methods **methods)
{
    c_methods_destroy(*methods);
}

#define cleanup_c_methods __attribute__((cleanup(cleanup_c_methods_destroy)))

#endif
