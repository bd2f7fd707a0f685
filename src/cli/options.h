/* SPDX-License-Identifier: MIT */
/*
 * What the verbs' option tables share: numbers with limits, words from a list, and errors that name the nearest word.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/error.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { OPTION_TABLES = 8 };

/* A verb's command line while it is parsed: argp's tables, and what went wrong. */
struct command_line {
    const char *verb;
    const struct argp_option *tables[OPTION_TABLES]; /* the verb's own, then those of argp children; ends with NULL */
    struct error *error;                             /* the first mistake; owned by the caller of options_parse() */
};

/*
 * Parses argv (argv[0] is the verb) with argp. The parser of `argp` receives `input`, whose first member is a struct
 * command_line, and hands keys that it does not know to options_default(). Exits with status 0 after --help.
 */
struct error *options_parse(const struct argp *argp, int argc, char **argv, struct command_line *input);

/* Handles what is the same for every verb: --help and mistakes. Returns what the parser has to return. */
error_t options_default(int key, struct argp_state *state);

/* Notes the first mistake and returns what the parser has to return. Takes the error over. */
error_t options_note(struct command_line *line, struct error *error);

/* The same in a verb's own parser: notes a mistake and returns what the parser has to return. Takes the error over. */
error_t options_fail(struct argp_state *state, struct error *error);

/* A process number: decimal, or hexadecimal with 0x. */
struct error *options_take_pid(const char *text, pid_t *ret);

/* The number of a descriptor that is open; it is ours from now on, and not passed on to programs. */
struct error *options_take_descriptor(const char *text, int *ret);

/* A number of samples a second, 1 to 100,000. */
struct error *options_take_rate(const char *text, uint64_t *ret_interval_ns);

/* A number of seconds, perhaps with a fraction, more than 0; a point in time can be 0, too. */
struct error *options_take_seconds(const char *text, uint64_t *ret_ns);
struct error *options_take_time(const char *text, uint64_t *ret_ns);

/* Takes a number of bytes, which ends in K, M or G: of 1024, and so on. False when it is none. */
bool options_take_size(const char *text, uint64_t *ret_len);

/* A percentage, perhaps with a fraction, 0 to 100. */
struct error *options_take_percent(const char *text, double *ret);

/* A whole number from a first one to a limit. */
struct error *options_take_count(const char *text, uint32_t first, uint32_t limit, uint32_t *ret);

#endif
