/* SPDX-License-Identifier: MIT */
/*
 * The text of a Python source file in lines, and whether it can be what a frame was compiled from. No text is trusted:
 * where it does not fit what is known of the frame, it is another one.
 */
#ifndef SAMPLER_SOURCE_TEXT_H
#define SAMPLER_SOURCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dump_frame;

struct source_text {
    char *bytes; /* owned; UTF-8 */
    size_t len;
    uint32_t *starts; /* of the lines, and at last the end of the text; owned */
    uint32_t count;   /* lines */
};

/*
 * Takes over the malloc'ed bytes, also on failure. False without memory, or when the text is none of Python's: bytes
 * that are not UTF-8 among it.
 */
bool source_text_init(struct source_text *text, char *bytes, size_t len);

/* Accepts a zeroed struct. */
void source_text_deinit(struct source_text *text);

/* The text of a line, counted from 1, without its end. NULL when there is no such line. */
const char *source_text_line(const struct source_text *text, int64_t line, size_t *ret_len);

/*
 * Whether a frame can be executing this text: its line is there and not empty, what its position names begins and ends
 * where words do, and the function of its name begins in its first line.
 */
bool source_text_fits(const struct source_text *text, const struct dump_frame *frame);

#endif
