/* SPDX-License-Identifier: MIT */
/*
 * Which words of a command line say what runs. Those behind them are its arguments, and can be secret: passwords and
 * keys are given to programs like that, and profiles are passed on.
 */
#ifndef TARGET_COMMAND_WORDS_H
#define TARGET_COMMAND_WORDS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct buffer;
struct process;

/*
 * The word of the program: the first one, or behind a dynamic loader that is called by name the one that this starts.
 * words ends with NULL, also in the following.
 */
const char *const *command_words_program(const char *const *words);

/* Appends what a Python runs, out of the words behind its own: " app.py", " -m module", " -c", " -", or nothing. */
void command_words_append_script(struct buffer *out, const char *const *arguments);

/* A path behind its last slash. */
const char *command_words_last_component(const char *path);

/* Whether a program's word is that of a Python. */
bool command_words_are_python(const char *program);

/* Appends the words with spaces between them. Without arguments: "python3 -m http.server …", "sh …". */
void command_words_append(struct buffer *out, const char *const *words, bool with_arguments);

/*
 * Those of a process, as a malloc'ed array that ends with NULL and points into the text, which is replaced. None for a
 * kernel thread.
 */
struct error *command_words_list(const struct process *process, struct buffer *text, const char ***ret);

/* Appends those of a process alike. Nothing for a kernel thread. */
struct error *command_words_read(const struct process *process, bool with_arguments, struct buffer *out);

#endif
