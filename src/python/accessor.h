/* SPDX-License-Identifier: MIT */
/*
 * Finding a variable without a symbol through an exported function that does nothing but return it.
 */
#ifndef PYTHON_ACCESSOR_H
#define PYTHON_ACCESSOR_H

#include "memory/memory.h"

struct loaded_image;

/* The address of the variable that the function of this name returns; 0 when its code is anything else. */
remote_addr accessor_find(const struct loaded_image *image, const char *function, struct memory *memory);

#endif
