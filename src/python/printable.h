/* SPDX-License-Identifier: MIT */
/*
 * Which characters repr() writes as they are.
 */
#ifndef PYTHON_PRINTABLE_H
#define PYTHON_PRINTABLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * As str.isprintable() says in the newest version that is known. Characters that came with a later Unicode than a
 * program's Python knows are escaped by its repr(), and are not by us.
 */
bool is_printable(uint32_t c);

#endif
