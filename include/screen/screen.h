/* SPDX-License-Identifier: MIT */
/*
 * A live view on a terminal, drawn with ncurses.
 *
 *     screen_create(&options, model, &settings, &screen);
 *     screen_show(screen)              after each update of the model
 *     screen_take_keys(screen)         when screen_fd() is readable; says what is to be done besides
 *     screen_destroy(screen)           the terminal is as it was before
 *
 * There is one terminal, so there can be one screen at a time. A fatal signal gives the terminal back before it ends
 * us.
 */
#ifndef SCREEN_SCREEN_H
#define SCREEN_SCREEN_H

#include "base/error.h"
#include "screen/screen_options.h"

#include <stdbool.h>

struct model;
struct model_settings;
struct screen;

/*
 * Takes the terminal's letters beyond ASCII into use, for the whole process, before it has a second thread. False when
 * there are none.
 */
bool screen_set_letters(void);

/* Whether a terminal is of a kind ($TERM) that terminfo knows. A machine, or another root, may have no terminfo. */
bool screen_knows_terminal(int fd);

/* The model and the settings, which keys change, must outlive the screen. Errors: ERROR_OS when the terminal is of no
 * kind that is known. */
struct error *screen_create(const struct screen_options *options, struct model *model, struct model_settings *settings,
                            struct screen **ret);

/* Accepts NULL. */
void screen_destroy(struct screen *screen);

/* Readable when there are keys. */
int screen_fd(const struct screen *screen);

/* Whether what is shown is to stay as it is. */
bool screen_is_paused(const struct screen *screen);

/* What is said of the process in the first line, static, or NULL; and whether it has ended. */
void screen_set_state(struct screen *screen, const char *state, bool has_ended);

/* Does what the keys say that were pressed, and shows it. */
enum screen_wish screen_take_keys(struct screen *screen);

/* Makes the rows of the model anew and draws them. */
void screen_show(struct screen *screen);

/* Give the terminal back for a while, and take it again. */
void screen_leave(struct screen *screen);
void screen_come_back(struct screen *screen);

static inline void cleanup_screen_destroy(struct screen **screen)
{
    screen_destroy(*screen);
}

#define cleanup_screen __attribute__((cleanup(cleanup_screen_destroy)))

#endif
