/* SPDX-License-Identifier: MIT */
/*
 * The terminal: taking it, giving it back, and writing text that is cut where the room ends. Works with any that
 * terminfo knows, also without colours, without a second screen and without letters beyond ASCII.
 */
#ifndef SCREEN_TERMINAL_H
#define SCREEN_TERMINAL_H

#include "base/error.h"

#include <curses.h>
#include <stdbool.h>
#include <stdio.h>
#include <termios.h>

struct terminal {
    SCREEN *curses;
    FILE *in, *out;
    struct termios modes; /* as they were before */
    bool use_colour, use_ascii, use_mouse;
};

/* What text is, which says how it looks. */
enum terminal_style {
    STYLE_PLAIN,
    STYLE_FAINT,
    STYLE_BUSY,
    STYLE_BAD,
    STYLE_MATCH, /* of a search */
    STYLE_HEAD,  /* of columns */
    STYLE_SORTED,
    STYLE_GROUP,
    STYLE_COUNT,
};

/*
 * Makes ncursesw know letters beyond ASCII. It asks the process's locale for them, and a thread's own one is not enough
 * (ncurses 6.4, base/lib_newterm.c asks setlocale()). Nothing but the kinds of characters is set. A machine may lack
 * the locale that its environment names; C.UTF-8 is part of glibc since 2.35. False when there is none.
 */
bool terminal_set_letters(void);

struct error *terminal_init(struct terminal *terminal, FILE *in, FILE *out, bool use_colour, bool use_ascii);

/* Gives it back. Accepts a zeroed struct. */
void terminal_deinit(struct terminal *terminal);

void terminal_leave(struct terminal *terminal);
void terminal_come_back(struct terminal *terminal);

/* Follows the size that the terminal has now. */
void terminal_follow_size(const struct terminal *terminal);

void terminal_set_mouse(struct terminal *terminal, bool is_wanted);

attr_t terminal_style(const struct terminal *terminal, enum terminal_style style);

/*
 * Writes text, harmless and valid UTF-8, from a place on, at most so many columns. Returns how many it took. What is
 * cut ends in an ellipsis.
 */
int terminal_put(const struct terminal *terminal, int row, int column, int columns, const char *text);

/* The same for a text of which the end matters most: it is cut at its beginning. */
int terminal_put_end(const struct terminal *terminal, int row, int column, int columns, const char *text);

#endif
