/* SPDX-License-Identifier: MIT */
/*
 * What a terminal, and who sits before it, can take: colour, width, letters.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

struct tree_options;

/* Whether a descriptor is a terminal that a line can be drawn anew on, which one that is called dumb is not. */
bool terminal_is_lively(int fd);

/* Whether it may have colours, too, to which NO_COLOR (no-color.org) objects. */
bool terminal_has_colour(int fd);

/* Whether the terminal, by its name, may have triangles and blocks of each height in its font. */
bool terminal_has_blocks(void);

/* Says how text is to be laid out that goes to a descriptor: for anything but a terminal, of any width, and
 * plain unless CLICOLOR_FORCE asks for colour. */
void terminal_describe(int fd, struct tree_options *ret);

#endif
