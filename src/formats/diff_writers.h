/* SPDX-License-Identifier: MIT */
/* The writers that the table of diff formats names; their contract is that of struct diff_format's write. */
#ifndef FORMATS_DIFF_WRITERS_H
#define FORMATS_DIFF_WRITERS_H

#include <stdio.h>

struct diff;
struct diff_format_options;
struct error;

struct error *diff_table_write(const struct diff *diff, const struct diff_format_options *options, FILE *out);
struct error *diff_flamegraph_write(const struct diff *diff, const struct diff_format_options *options, FILE *out);

#endif
