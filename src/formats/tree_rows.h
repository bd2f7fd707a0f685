/* SPDX-License-Identifier: MIT */
/*
 * The rows of a text tree: stacks put together by function, with what nobody wants to read folded.
 *
 * Calls of a function by the same caller are one row, whatever lines they were at. A function that calls itself, or
 * comes round to itself through the same few functions again and again, is one row that counts the turns. Frames of
 * the import system are folded into one row for each package that the caller imports, and so is what modules of that
 * package do to each other meanwhile. Every sample is in exactly one path of rows.
 *
 * Rows are only made where there is enough time, so that the work is for what will be shown and one pass over the rest.
 */
#ifndef FORMATS_TREE_ROWS_H
#define FORMATS_TREE_ROWS_H

#include "base/error.h"
#include "tree_row.h"

struct functions;
struct profile;
struct tree_options;

/* functions is that of the profile. */
struct error *tree_rows_init(struct tree_rows *rows, const struct profile *profile, const struct functions *functions,
                             const struct tree_options *options);

/* Accepts a zeroed struct. */
void tree_rows_deinit(struct tree_rows *rows);

#define cleanup_tree_rows __attribute__((cleanup(tree_rows_deinit)))

#endif
