/* SPDX-License-Identifier: MIT */
/*
 * The words that a program was started with, out of its memory: the notes have only the first 79 bytes of them, or, as
 * gcore writes them, the first word.
 */
#ifndef CORE_COMMAND_LINE_H
#define CORE_COMMAND_LINE_H

#include "core_parts.h"

#include <stdbool.h>

struct buffer;

/* Replaces the buffer's content by the words, with a space between them. False when they cannot be found. */
bool command_line_read(const struct core *core, struct buffer *buffer);

#endif
