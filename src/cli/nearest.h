/* SPDX-License-Identifier: MIT */
/*
 * What somebody may have meant who typed a word that is not known, or not where it belongs.
 */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* The word of the list that is most like the given one; NULL when none is near. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

/* Whether a word is a number, as of a process; whether it names a Python script. */
bool word_is_number(const char *word);
bool word_is_script(const char *word);

#endif
