/* SPDX-License-Identifier: MIT */
/*
 * Reads all that there is to read of an interpreter, as a recording and a dump do, and ends the program when something
 * does not hold that has to hold whatever the memory is: numbers within their limits, and texts that are UTF-8 with a
 * NUL behind them.
 */
#ifndef PYTHON_READING_H
#define PYTHON_READING_H

#include "memory/memory.h"

#include <stdbool.h>

struct buffer;
struct python;

enum {
    READING_NAMES = 1,     /* of threads */
    READING_DETAILS = 2,   /* of frames: positions and methods */
    READING_VARIABLES = 4, /* of the first frames */
    READING_LOCKS = 8,
};

/* One sample; `what` of READING_*. */
void python_reading_run(struct python *python, struct memory *memory, unsigned what);

/* Whether it is UTF-8, in which there may be NULs and surrogates. */
bool python_reading_is_text(const char *text, size_t len);

#endif
