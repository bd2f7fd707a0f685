/* SPDX-License-Identifier: MIT */
/*
 * The manual page pyspyc(1), from the verbs' tables.
 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <stdio.h>

/* Writes the page as man(7) has it. Errors of the stream are the caller's to look for. */
void manual_write(FILE *out);

#endif
