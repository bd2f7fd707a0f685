/* SPDX-License-Identifier: MIT */
/* What rows are called. All texts are harmless. */
#ifndef SCREEN_ROW_TEXT_H
#define SCREEN_ROW_TEXT_H

#include "base/buffer.h"
#include "screen/rows.h"

struct profile;

/* What the numbers of a row mean. */
struct row_scope {
    const struct profile *profile;
    enum model_grouping grouping;
    bool by_line;
};

void row_append_name(const struct row_scope *scope, const struct model_row *row, struct buffer *out);

/* Where it is: "file:line", the line being that which runs, or that with which the function begins. */
void row_append_place(const struct row_scope *scope, const struct model_row *row, bool full_filenames,
                      struct buffer *out);

/* Whether a row has a text in its name or place, whatever the case of its letters. */
bool row_matches_text(const struct row_scope *scope, const struct model_row *row, const char *text);

#endif
