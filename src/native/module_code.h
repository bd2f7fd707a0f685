/* SPDX-License-Identifier: MIT */
/*
 * What is known of the code of one module: its functions' names, and the lines of its source.
 */
#ifndef NATIVE_MODULE_CODE_H
#define NATIVE_MODULE_CODE_H

#include "image/debug_lines.h"
#include "image/function_names.h"
#include "native/modules.h"

struct module_code {
    uint32_t number; /* of the module */
    remote_addr start;
    struct function_names *names; /* NULL: the module has no image */
    struct debug_lines *lines;    /* NULL: there are none */
};

/* Reads what a module's files have. Only memory can fail; then there are fewer names. */
void module_code_init(struct module_code *code, const struct native_module *module);

/* Accepts a zeroed struct. The module's images need not be there any more. */
void module_code_deinit(struct module_code *code);

#endif
