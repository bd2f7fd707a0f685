/* SPDX-License-Identifier: MIT */
/*
 * A regular expression: PCRE2's, on UTF-8, found anywhere in a text; \w and its like know all letters.
 *
 * The expression comes from the person at the terminal, texts from programs, and together they could take for ever. A
 * match that takes too many steps is given up, counts as no match, and is counted. One thread at a time.
 */
#ifndef PROFILE_PATTERN_H
#define PROFILE_PATTERN_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern;

/* ERROR_USAGE, with the place of the mistake, for what is no expression; word: the option that it was given with. */
struct error *pattern_create(const char *word, const char *expression, struct pattern **ret);

/* Accepts NULL. */
void pattern_destroy(struct pattern *pattern);

/* Of a text that is not all of what there was, the end may be cut in the middle of a character. */
bool pattern_matches(struct pattern *pattern, const char *text, size_t len);

const char *pattern_expression(const struct pattern *pattern);

/* How many matches were given up so far. */
uint64_t pattern_abandoned(const struct pattern *pattern);

static inline void cleanup_pattern_destroy(struct pattern **pattern)
{
    pattern_destroy(*pattern);
}

#define cleanup_pattern __attribute__((cleanup(cleanup_pattern_destroy)))

#endif
