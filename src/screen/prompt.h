/* SPDX-License-Identifier: MIT */
/* A line that is typed at the bottom of the screen. */
#ifndef SCREEN_PROMPT_H
#define SCREEN_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

struct terminal;

enum prompt_kind {
    PROMPT_NONE,
    PROMPT_SEARCH,
    PROMPT_FILTER,
    PROMPT_SAVE,
    PROMPT_OVERWRITE, /* y: the file may be written over */
    PROMPT_QUIT,      /* what becomes of the program that we started */
};

enum { PROMPT_SIZE = 1024 };

struct prompt {
    enum prompt_kind kind;
    char question[160];
    char text[PROMPT_SIZE]; /* valid UTF-8, */
    size_t limit;           /* with less bytes than this */
    bool is_line;           /* a line is typed; else one key answers */
};

/* Asks for a line that begins as text; or where text is NULL, for a key. */
void prompt_open(struct prompt *prompt, enum prompt_kind kind, const char *question, const char *text, size_t limit);

/* What a key did. */
enum prompt_outcome {
    PROMPT_IGNORED,
    PROMPT_CHANGED,
    PROMPT_ACCEPTED, /* the prompt is not closed: text is what was typed */
    PROMPT_CANCELLED,
};

/* is_code: the key is one without a character, as an arrow. */
enum prompt_outcome prompt_take_key(struct prompt *prompt, unsigned key, bool is_code);

void prompt_draw(const struct prompt *prompt, const struct terminal *terminal);

#endif
