/* SPDX-License-Identifier: MIT */
/*
 * What --help prints: examples first, and no more than a screen of 24 rows holds. `help VERB` has a line for each
 * option; the manual has the rest.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

struct verb;

/* Of the program. */
void help_print(FILE *out);

/* Of a verb: of some options only the names, or a line of each. */
void help_print_verb(const struct verb *verb);
void help_print_whole_verb(const struct verb *verb);

#endif
