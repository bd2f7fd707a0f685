/* SPDX-License-Identifier: MIT */
/*
 * What --help prints: examples first, and no more than a screen holds; the manual has the rest.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

struct verb;

/* Of the program. */
void help_print(void);

/* Of a verb. */
void help_print_verb(const struct verb *verb);

#endif
