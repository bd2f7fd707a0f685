/* SPDX-License-Identifier: MIT */
/*
 * What can stand behind an option, and where no option stands: what the completions of all shells are made of, besides
 * the argp tables themselves.
 */
#ifndef CLI_COMPLETION_VALUES_H
#define CLI_COMPLETION_VALUES_H

#include "base/buffer.h"

#include <argp.h>

struct verb;

enum completion_kind {
    COMPLETE_NOTHING, /* a number, or an expression: nobody can guess it */
    COMPLETE_FILES,
    COMPLETE_PROCESSES, /* numbers of the processes that can be profiled */
    COMPLETE_WORDS,
    COMPLETE_PROGRAM, /* another program's command line, behind -- */
};

/* Of an option that takes a value. Words are appended with spaces between them. */
enum completion_kind completion_of_value(const struct verb *verb, const struct argp_option *option,
                                         struct buffer *words);

/* Of a verb's arguments. */
enum completion_kind completion_of_arguments(const struct verb *verb, struct buffer *words);

/* The verbs that help lists, likewise. */
void completion_append_verbs(struct buffer *words);

/* Prints an option's or verb's short text for inside of single quotes: with a backslash before any of the marks. */
void completion_print_quoted(const char *doc, const char *marks, const char *quote);

/* Print a whole script. */
void completion_print_bash(void);
void completion_print_zsh(void);
void completion_print_fish(void);

#endif
