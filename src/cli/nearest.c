/* SPDX-License-Identifier: MIT */
#include "nearest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { WORD_LEN_LIMIT = 64 }; /* characters of words that are compared with each other */

/* How many letters have to be changed, put in or taken out to make one word the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_LEN_LIMIT + 1];
    size_t len_a = strlen(a), len_b = strlen(b);
    if (len_a > WORD_LEN_LIMIT || len_b > WORD_LEN_LIMIT)
        return SIZE_MAX;
    for (size_t j = 0; j <= len_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            size_t change = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            size_t insertion = (row[j - 1] < row[j] ? row[j - 1] : row[j]) + 1;
            diagonal = row[j];
            row[j] = change < insertion ? change : insertion;
        }
    }
    return row[len_b];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 2 + 1; /* more than half of it wrong is another word */
    for (size_t i = 0; i < count; i++) {
        size_t candidate = distance(word, words[i]);
        if (candidate < best) {
            best = candidate;
            nearest = words[i];
        }
    }
    return nearest;
}

bool word_is_number(const char *word)
{
    return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

bool word_is_script(const char *word)
{
    static const char ending[] = ".py";
    size_t len = strlen(word), ending_len = sizeof(ending) - 1;
    return len > ending_len && strcmp(word + len - ending_len, ending) == 0;
}
