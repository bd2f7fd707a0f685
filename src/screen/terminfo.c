/* SPDX-License-Identifier: MIT */
/* Apart from the rest, as term.h has macros for words such as `lines` and `columns`. */
#include "screen/screen.h"

#include <curses.h>
#include <term.h>

bool screen_knows_terminal(int fd)
{
    int unused; /* without it, setupterm() ends the process where it fails */
    if (setupterm(NULL, fd, &unused) != OK)
        return false;
    del_curterm(cur_term);
    return true;
}
