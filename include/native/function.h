/* SPDX-License-Identifier: MIT */
/*
 * A function of a C stack, as a symbolizer tells it.
 */
#ifndef NATIVE_FUNCTION_H
#define NATIVE_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One function. Its name is that of the source language (C++ and Rust: demangled), or, where no symbol is known,
 * "libfoo.so.1+0x1234": the file and the address in it at which the function begins, the same in each run.
 */
struct native_function {
    uint32_t serial; /* of equal name, file and module; grows; never means two */
    int32_t line;    /* that is executed; 0: not known */
    const char *name;
    const char *symbol; /* as the linker has it, before demangling; "" when there is none, and for inlined functions */
    const char *file;   /* with its source, as the compiler (or Cython) named it; "" when not known */
    const char *path;   /* of the module, see native_module.path */
    uint64_t start;     /* where it begins in the target; 0: not known, or inlined */
    uint64_t len;       /* of its code, or the part of it that begins there; 0: not known, or inlined */
    bool is_inlined;    /* into the next one of the list */
    bool is_named;      /* false: the name is one of an address */
    bool is_in_file;    /* its code is, and so what is said of it will always be */
    bool is_made;       /* its code is in memory that is no file's: a just-in-time compiler made it */
};

#endif
