/* SPDX-License-Identifier: MIT */
/*
 * Looking things up in dicts and instances of the target. A running program may change them meanwhile: every length has
 * a limit, and what is found is only as true as the memory it was read from.
 */
#ifndef PYTHON_DICT_H
#define PYTHON_DICT_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct layout;

/* The value for a str key that is this text, as text_equals() compares it. False when there is none. */
bool dict_find_text(const struct layout *layout, struct memory *memory, remote_addr dict, const char *key,
                    remote_addr *ret);

/* The value for an int key. False when there is none. */
bool dict_find_number(const struct layout *layout, struct memory *memory, remote_addr dict, uint64_t key,
                      remote_addr *ret);

/* What an int is, if that is neither negative nor more than 64 bits. */
bool integer_read(const struct layout *layout, struct memory *memory, remote_addr object, uint64_t *ret);

/* The attribute of an instance of a class that Python code defined. False when it has none of that name. */
bool instance_find_attribute(const struct layout *layout, struct memory *memory, remote_addr object, const char *name,
                             remote_addr *ret);

#endif
