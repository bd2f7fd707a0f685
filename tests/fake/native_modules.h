/* SPDX-License-Identifier: MIT */
/*
 * Modules that a test puts together by hand, in the place of native/modules.c: a struct modules that is no more than a
 * list.
 */
#ifndef NATIVE_FAKE_MODULES_H
#define NATIVE_FAKE_MODULES_H

#include "native/modules.h"

struct modules {
    struct native_module *items;
    uint32_t count;
    int jit_names;           /* a descriptor; -1: there is none */
    const char *source_path; /* the only one that can be opened; NULL: none */
    int source;              /* its descriptor */
    int source_count;        /* how often one was opened */
    int jit_count;
};

#endif
