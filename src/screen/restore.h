/* SPDX-License-Identifier: MIT */
/*
 * Giving a terminal back when a fatal signal ends us, of which only SIGKILL cannot be caught.
 */
#ifndef SCREEN_RESTORE_H
#define SCREEN_RESTORE_H

#include <termios.h>

/* From now on fatal signals first set a descriptor's terminal so, and write to it what its terminfo entry says. */
void restore_prepare(int fd, const struct termios *modes);

/* Fatal signals end us at once again. */
void restore_forget(void);

#endif
