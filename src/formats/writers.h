/* SPDX-License-Identifier: MIT */
/* The writers that the table of formats names; their contract is that of struct format's write or write_samples. */
#ifndef FORMATS_WRITERS_H
#define FORMATS_WRITERS_H

#include <stdio.h>

struct error;
struct format_options;
struct profile;
struct view;

struct error *flamegraph_write(const struct profile *profile, const struct format_options *options, FILE *out);
struct error *collapsed_write(const struct profile *profile, const struct format_options *options, FILE *out);
struct error *tree_write(const struct profile *profile, const struct format_options *options, FILE *out);
struct error *pprof_write(const struct view *view, const struct format_options *options, FILE *out);

struct error *page_write(const struct view *view, const struct format_options *options, FILE *out);

struct error *speedscope_write(const struct view *view, const struct format_options *options, FILE *out);
struct error *chrometrace_write(const struct view *view, const struct format_options *options, FILE *out);
struct error *firefox_write(const struct view *view, const struct format_options *options, FILE *out);
struct error *json_write(const struct view *view, const struct format_options *options, FILE *out);

#endif
