/* SPDX-License-Identifier: MIT */
/*
 * A piece of source text, as code objects name it from Python 3.11 on.
 */
#ifndef PYTHON_POSITION_H
#define PYTHON_POSITION_H

#include <stdint.h>

enum { PYTHON_NO_COLUMN = -1 };

struct python_position {
    int32_t line, end_line;     /* from 1 on; what the target says, so it may be any number */
    int32_t column, end_column; /* bytes of UTF-8 from the start of the line, the end not included; or NO_COLUMN */
};

#endif
