/* SPDX-License-Identifier: MIT */
/*
 * A line of source for a terminal, with a line under it that marks a piece of it.
 */
#ifndef FORMATS_SOURCE_LINE_H
#define FORMATS_SOURCE_LINE_H

#include "base/buffer.h"

#include <stddef.h>

enum { SOURCE_COLUMN_LIMIT = 200 }; /* columns of a terminal that a line takes at most */

/*
 * Appends a line of source without the blanks around it, made harmless, and a line of ^ under its bytes from start to
 * end, unless these are none or all. Of a long line the part around start is shown. Both lines begin with the indent
 * and end with a line feed.
 */
void source_line_append(struct buffer *out, const char *indent, const char *line, size_t len, size_t start, size_t end);

#endif
