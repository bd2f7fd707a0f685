/* SPDX-License-Identifier: MIT */
/*
 * Names for C functions whose symbols were stripped, by what Python calls them: "list.sort" for what is otherwise
 * "python3.11+0x1234". The tables are looked for in a file's data when a function of it is asked for first.
 */
#ifndef SAMPLER_METHOD_NAMES_H
#define SAMPLER_METHOD_NAMES_H

#include "memory/maps.h"
#include "native/function.h"
#include "native/modules.h"

#include <stdint.h>

struct c_methods;
struct memory;

/* What is known of one file. */
struct module_methods {
    uint32_t module; /* its number */
    struct c_methods *methods;
};

/* A zeroed struct is valid once the first three are set; they must outlive it. */
struct method_names {
    struct memory *memory; /* of the target */
    struct modules *modules;
    const struct maps *maps;
    struct module_methods *files;
    uint32_t count, capacity;
};

void method_names_deinit(struct method_names *names);

/* What Python calls a function without a name; NULL when that is not known. Valid as long as the names. */
const char *method_names_find(struct method_names *names, const struct native_function *function);

#endif
