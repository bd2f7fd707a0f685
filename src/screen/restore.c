/* SPDX-License-Identifier: MIT */
#include "restore.h"

#include "base/cleanup.h"

#include <curses.h>
#include <signal.h>
#include <string.h>
#include <term.h>

enum { SEQUENCE_LIMIT = 512 };

/* A signal handler has no other way to them. There is one terminal. */
static volatile sig_atomic_t is_prepared;
static int terminal_fd;
static struct termios terminal_modes;
static char sequence[SEQUENCE_LIMIT];
static size_t sequence_len;

static const int fatal_signals[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,    SIGABRT,   SIGSYS,
                                    SIGTRAP, SIGQUIT, SIGXCPU, SIGSTKFLT, SIGVTALRM, SIGPROF};
static struct sigaction actions[array_size(fatal_signals)]; /* as they were */

static void give_signals_back(void)
{
    for (size_t i = 0; i < array_size(fatal_signals); i++)
        sigaction(fatal_signals[i], &actions[i], NULL);
}

/* Only calls that are allowed in a signal handler. */
static void restore_and_end(int number)
{
    if (is_prepared) {
        is_prepared = 0;
        (void)!write(terminal_fd, sequence, sequence_len);
        tcsetattr(terminal_fd, TCSANOW, &terminal_modes);
        give_signals_back();
    }
    /* It comes when this handler has returned, and ends us, or is a sanitizer's. */
    raise(number);
}

/* Adds a string of terminfo without its delays, as in "\e[?1049l$<5>". */
static void add_sequence(const char *text)
{
    if (!text)
        return;
    for (const char *at = text; *at && sequence_len < SEQUENCE_LIMIT; at++) {
        const char *end = at[0] == '$' && at[1] == '<' ? strchr(at, '>') : NULL;
        if (end)
            at = end;
        else
            sequence[sequence_len++] = *at;
    }
}

/* A name's string, or NULL: terminfo says (char *)-1 for a name that has none. */
static const char *capability(const char *name)
{
    const char *text = tigetstr(name);
    return text == (const char *)-1 ? NULL : text;
}

void restore_prepare(int fd, const struct termios *modes)
{
    static const char *const names[] = {"sgr0", "op", "cnorm", "rmkx", "rmcup"};
    is_prepared = 0;
    terminal_fd = fd;
    terminal_modes = *modes;
    sequence_len = 0;
    /* xterm's ctlseqs: the modes that ncurses switches on for a mouse. */
    if (capability("kmous"))
        add_sequence("\033[?1000l\033[?1006l");
    for (size_t i = 0; i < array_size(names); i++)
        add_sequence(capability(names[i]));
    add_sequence("\r\n");
    const struct sigaction ours = {.sa_handler = restore_and_end};
    is_prepared = 1;
    for (size_t i = 0; i < array_size(fatal_signals); i++) {
        sigaction(fatal_signals[i], &ours, &actions[i]);
        if (actions[i].sa_handler == SIG_IGN)
            sigaction(fatal_signals[i], &actions[i], NULL);
    }
}

void restore_forget(void)
{
    if (is_prepared)
        give_signals_back();
    is_prepared = 0;
}
