/* SPDX-License-Identifier: MIT */
/*
 * What somebody may have meant who typed an unknown word.
 */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include <stddef.h>

/* The word of the list that is most like the given one; NULL when none is near. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
