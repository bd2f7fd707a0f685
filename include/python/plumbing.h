/* SPDX-License-Identifier: MIT */
/*
 * What a C function of CPython does in a stack: runs Python code, helps to call it, or works.
 *
 * Only to be asked of functions in the interpreter's own files and, for how threads and programs begin, in the C
 * library: some names are ones that others may have, too.
 */
#ifndef PYTHON_PLUMBING_H
#define PYTHON_PLUMBING_H

#include "python/version.h"

enum python_role {
    PYTHON_ROLE_WORK,     /* what somebody's code asked for: zlib_compress, list_sort_impl, take_gil */
    PYTHON_ROLE_PLUMBING, /* the way from one Python function to the next, which tells nobody anything */
    PYTHON_ROLE_EVAL,     /* the evaluation loop: each is one or more Python frames */
    PYTHON_ROLE_HANDLER,  /* what the loop called to do its own work: all that is in it is the loop's */
};

/*
 * By the linker's name, with or without what compilers append (".cold", ".part.0"). "" is work. The version tells what
 * PyEval_EvalFrameEx is: the loop itself to 3.5, and then only the way to it.
 */
enum python_role python_native_role(const char *symbol, const struct python_version *version);

#endif
