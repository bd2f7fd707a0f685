/* SPDX-License-Identifier: MIT */
/*
 * The functions of a profile: frames that differ in nothing but the line that they execute are one function. Also whose
 * code each of them is, which is what decides what a text tree folds.
 */
#ifndef FORMATS_FUNCTIONS_H
#define FORMATS_FUNCTIONS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"

#include <stdbool.h>
#include <stdint.h>

struct alike;
struct profile;

enum function_class {
    FUNCTION_OWN,      /* the program's own code, native or not */
    FUNCTION_LIBRARY,  /* installed packages, the standard library, libraries of C, code that a library made */
    FUNCTION_IMPORTER, /* the import system */
    FUNCTION_STARTER,  /* what Python and its standard library call before a program's or a thread's own code */
    FUNCTION_MARK,     /* no function that is somebody's, see FRAME_MARK and FRAME_KERNEL */
    FUNCTION_GROUP,    /* the root of a process or a thread */
};

struct function {
    uint32_t frame; /* the first of its frames */
    enum function_class class;
    uint32_t package;   /* of a module's own code: which outermost package it belongs to; PROFILE_NONE for others */
    size_t module_name; /* of a module's own code: its name, in functions->text */
    size_t module_len;
};

struct function_package {
    size_t name; /* in functions->text */
    size_t len;
    bool is_own;
};

struct functions {
    const struct profile *profile;
    uint32_t *of_frame; /* frame -> function */
    struct function *functions;
    uint32_t count, capacity;
    struct table table;
    struct function_package *packages;
    uint32_t package_count, package_capacity;
    struct table package_table;
    struct buffer text;
};

/* The profile must not change or go away meanwhile. Threads that are alike are one function; NULL: none are. */
struct error *functions_init(struct functions *functions, const struct profile *profile, const struct alike *alike);

/* Accepts a zeroed struct. */
void functions_deinit(struct functions *functions);

#define cleanup_functions __attribute__((cleanup(functions_deinit)))

/* Orders functions by name, then file, then first line, then kind: for equal output from equal profiles. */
int functions_compare(const struct functions *functions, uint32_t a, uint32_t b);

/* Whether inner is a comprehension, generator expression or lambda that stands in outer. */
bool functions_is_part(const struct functions *functions, uint32_t outer, uint32_t inner);

#endif
