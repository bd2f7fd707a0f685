/* SPDX-License-Identifier: MIT */
/*
 * What a verb's argp table says, with the tables of its children, in a row: for help, manual and completions. Children
 * of group 0 come before the verb's own options.
 */
#ifndef CLI_OPTION_LIST_H
#define CLI_OPTION_LIST_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer;

enum { OPTION_LIST_LIMIT = 96 };

struct listed_option {
    const struct argp_option *option;
    const char *head; /* stands above it; NULL: nothing */
};

struct option_list {
    struct listed_option options[OPTION_LIST_LIMIT];
    size_t count;
};

/* Fills a list; --help comes last. */
void option_list_init(struct option_list *list, const struct argp *argp);

bool option_is_hidden(const struct argp_option *option);

/* Flags of options that --help only names, so that it fits a screen; argp has this one for its own usage line. */
enum { OPTION_SELDOM = OPTION_NO_USAGE };

bool option_is_seldom(const struct argp_option *option);

/* Whether it has a letter, too. */
bool option_has_letter(const struct argp_option *option);

/* A text up to its \v, and the whole one without it. */
void doc_append_short(struct buffer *out, const char *doc);
void doc_append_whole(struct buffer *out, const char *doc);

/* What stands behind the \v; "" where there is none. */
const char *doc_rest(const char *doc);

#endif
