/* SPDX-License-Identifier: MIT */
/*
 * What is worth knowing of a code object.
 */
#ifndef PYTHON_CODE_H
#define PYTHON_CODE_H

#include <stddef.h>
#include <stdint.h>

struct python_code {
    /* Grows with each code object that is decoded, also when it lies where another one lay: never means two. */
    uint32_t serial;
    int32_t first_line;
    const char *name; /* qualified ("Class.method") from 3.11 on; UTF-8, NUL-terminated */
    size_t name_len;
    const char *filename; /* co_filename as the target has it; UTF-8, NUL-terminated */
    size_t filename_len;
};

#endif
