/* SPDX-License-Identifier: MIT */
/*
 * The arguments and local variables of frames, with their values as repr() would write them. Nothing of the target is
 * called for that, so the repr() of a class that Python code defines is not known: instead of it stand its name and one
 * level of attributes, "<shop.Order id=7, items=[...]>", unless it is an enum's, a data class's or a named tuple's.
 *
 *     python_variables_create(python, 128, &variables);      once
 *     ... python_walk_thread(python, memory, thread) ...
 *     for each frame of it:
 *         list = python_variables_read(variables, memory, frame, &count);
 *
 * Everything that is read has limits, so the memory may be anything. Not for the sampling path: this allocates.
 */
#ifndef PYTHON_VARIABLES_H
#define PYTHON_VARIABLES_H

#include "base/error.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct python;
struct python_frame;

enum {
    PYTHON_VALUE_LIMIT = 1 << 20, /* characters of a value, whatever is asked for */
    PYTHON_VARIABLE_LIMIT = 4096, /* of one frame; of more, the first ones are read */
};

struct python_variable {
    const char *name; /* UTF-8, NUL-terminated */
    size_t name_len;
    const char *value; /* likewise; cut, it ends in "..." */
    size_t value_len;
    bool is_argument;
};

struct python_variables;

/* text_limit: characters of each value. The interpreter must outlive the reader. */
struct error *python_variables_create(const struct python *python, uint32_t text_limit, struct python_variables **ret);

/* Accepts NULL. */
void python_variables_destroy(struct python_variables *variables);

/*
 * Reads the variables of a frame of the current sample that have a value: arguments first, then in the order of the
 * code object. Cells are looked into. A mark, and a module's frame, has none. Valid until the next call; NULL with a
 * count of 0 also without memory.
 */
const struct python_variable *python_variables_read(struct python_variables *variables, struct memory *memory,
                                                    const struct python_frame *frame, uint32_t *ret_count);

static inline void cleanup_python_variables_destroy(struct python_variables **variables)
{
    python_variables_destroy(*variables);
}

#define cleanup_python_variables __attribute__((cleanup(cleanup_python_variables_destroy)))

#endif
