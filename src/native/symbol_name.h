/* SPDX-License-Identifier: MIT */
/*
 * What a function is called in the language that it was written in, from what the linker calls it.
 */
#ifndef NATIVE_SYMBOL_NAME_H
#define NATIVE_SYMBOL_NAME_H

#include "base/buffer.h"

#include <stdbool.h>

enum {
    SYMBOL_NAME_LIMIT = 4096,    /* bytes of a name; what is longer is cut */
    SYMBOL_MANGLED_LIMIT = 4096, /* bytes of a mangled name; one that is longer stays as it is */
};

/*
 * Appends the name: C++ and Rust demangled, without arguments and Rust's hash; Cython's "__pyx_pw_3pkg_3mod_1f" as
 * "pkg.mod.f"; without what compilers append to the parts and copies that they make of a function (".cold", ".part.0").
 */
void symbol_name_append(const char *symbol, struct buffer *name);

/* Whether it is that of a function which Cython made of somebody's code (and not one that helps it). */
bool symbol_is_of_cython(const char *symbol);

#endif
