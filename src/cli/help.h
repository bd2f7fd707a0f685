/* SPDX-License-Identifier: MIT */
/*
 * What --help prints: examples first, and no more than a screen holds; the manual has the rest.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct verb;

/* Of the program. */
void help_print(FILE *out);

/* Of a verb. */
void help_print_verb(const struct verb *verb);

#endif
