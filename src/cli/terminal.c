/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include "formats/tree_options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool refuses_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    return no_color && *no_color;
}

/* bixense.com/clicolors: for text that goes into a pager, too. */
static bool is_colour_forced(void)
{
    const char *force = getenv("CLICOLOR_FORCE");
    return force && *force && strcmp(force, "0") != 0 && !refuses_colour();
}

bool terminal_is_lively(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

bool terminal_has_colour(int fd)
{
    return terminal_is_lively(fd) && !refuses_colour();
}

/*
 * The kernel's own console has fonts of 256 or 512 letters (Linux drivers/tty/vt/cp437.uni), and DEC's terminals, and
 * those that are called like them, none of the kind.
 */
bool terminal_has_blocks(void)
{
    const char *term = getenv("TERM");
    bool is_dec = term && term[0] == 'v' && term[1] == 't' && term[2] >= '0' && term[2] <= '9';
    return term && strcmp(term, "linux") != 0 && strncmp(term, "linux-", strlen("linux-")) != 0 && !is_dec;
}

/* POSIX 2017, Base Definitions 8.2: the first of them that is set and not empty says which characters there are. */
static bool has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *locale = getenv(names[i]);
        if (!locale || !*locale)
            continue;
        const char *charset = strchr(locale, '.');
        return charset && (strncasecmp(charset, ".utf-8", 6) == 0 || strncasecmp(charset, ".utf8", 5) == 0);
    }
    return false;
}

void terminal_describe(int fd, struct tree_options *ret)
{
    struct winsize size;
    ret->use_colour = is_colour_forced();
    if (!isatty(fd))
        return;
    ret->use_colour |= terminal_has_colour(fd);
    ret->use_ascii = !has_utf8();
    if (ioctl(fd, TIOCGWINSZ, &size) == 0)
        ret->width = size.ws_col;
}
