/* SPDX-License-Identifier: MIT */
/*
 * What a terminal, and who sits before it, can take: colour, width, letters.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

struct tree_options;

/*
 * Whether a descriptor is a terminal that may be drawn on. NO_COLOR (no-color.org) and TERM=dumb ask for plain text.
 */
bool terminal_is_lively(int fd);

/* Says how text is to be laid out that goes to a descriptor: for anything but a terminal, of any width, and
 * plain unless CLICOLOR_FORCE asks for colour. */
void terminal_describe(int fd, struct tree_options *ret);

#endif
