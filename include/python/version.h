/* SPDX-License-Identifier: MIT */
/*
 * The version of a CPython.
 */
#ifndef PYTHON_VERSION_H
#define PYTHON_VERSION_H

#include <stdbool.h>
#include <stdint.h>

enum { PYTHON_VERSION_TEXT_LEN = 48 };

struct python_version {
    uint8_t major, minor;
    int micro;      /* -1: not known */
    char level;     /* 'a', 'b' and 'c' (release candidate) before the release; else 0 */
    uint8_t serial; /* of the alpha, beta or candidate */
    bool is_free_threaded;
};

/* Writes "3.11.7", "3.15.0b2", "3.13.0 (free-threaded)" or, where the patch level is not known, "3.8". */
void python_version_format(const struct python_version *version, char text[PYTHON_VERSION_TEXT_LEN]);

#endif
