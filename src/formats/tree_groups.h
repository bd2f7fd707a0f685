/* SPDX-License-Identifier: MIT */
/*
 * Hides rows of libraries that call each other, so that the program's own code stands out; the rules are those of
 * pyinstrument's console (pyinstrument 5.1: pyinstrument/processors.py, group_library_frames).
 *
 * A group is a library's row that has a library's row below it, with all that hang together below. Visible in it are
 * the first row, rows that the program's own code hangs on, and rows that have much time of their own. Fewer than two
 * rows are not worth hiding, and where nothing is the program's own, nothing is hidden.
 */
#ifndef FORMATS_TREE_GROUPS_H
#define FORMATS_TREE_GROUPS_H

#include "base/error.h"

#include <stdint.h>

struct functions;
struct tree_rows;

/* Fills in group and is_hidden of the rows. */
void tree_groups_hide(struct tree_rows *rows, const struct functions *functions);

#endif
