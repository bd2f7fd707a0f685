/* SPDX-License-Identifier: MIT */
/* What is said of a function that takes more of the time than before: see profile/growth.h. */
#ifndef FORMATS_GROWTH_TEXT_H
#define FORMATS_GROWTH_TEXT_H

#include "profile/growth.h"

#include <stdbool.h>

struct buffer;

/*
 * Appends "parse (app.py:7) takes 45.0 % of the time by itself, 25.0 % before: +20.0 points". It has nothing in it that
 * a terminal could take for a command. The file is the short one unless full_filenames.
 */
void growth_text_append(struct buffer *out, const struct diff *diff, enum growth_kind kind, uint32_t frame,
                        bool full_filenames);

#endif
