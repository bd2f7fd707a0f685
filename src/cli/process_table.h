/* SPDX-License-Identifier: MIT */
/*
 * Python processes, as a table for people; and the one that an expression means.
 */
#ifndef CLI_PROCESS_TABLE_H
#define CLI_PROCESS_TABLE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct process_listing;

/* Prints those that can be profiled, and then the others with the reason. On a terminal, lines end where that does. */
void process_table_print(const struct process_listing *listing, FILE *out);

/*
 * Finds the Python process with a command line like this: an expression as in profile/pattern.h. When several are, they
 * are listed on standard error, and it is ERROR_USAGE; as is when there is none. with_children: what such a process has
 * started itself is part of it, and none of several.
 */
struct error *process_by_name(const char *expression, bool with_children, pid_t *ret);

#endif
