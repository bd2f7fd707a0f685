/* SPDX-License-Identifier: MIT */
/*
 * The class of a method, for versions whose code objects do not know it: to 3.10.
 */
#ifndef PYTHON_METHOD_H
#define PYTHON_METHOD_H

#include "memory/memory.h"

#include <stdbool.h>

struct buffer;
struct dict_budget;
struct layout;

/*
 * Replaces the buffer's content by the qualified name of the method that a frame executes; name: co_name. False when no
 * class that its first argument (self or cls) leads to has this code under this name,
 * or the budget is spent.
 */
bool method_find_name(const struct layout *layout, struct memory *memory, remote_addr frame, remote_addr code,
                      const char *name, struct dict_budget *budget, struct buffer *buffer);

#endif
