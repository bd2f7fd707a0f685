/* SPDX-License-Identifier: MIT */
/*
 * What a program writes that we started, while the screen is ours: it goes to a file in memory, of which the end is
 * kept. What it would have written to something else than a terminal goes there as ever.
 */
#ifndef CLI_TOP_OUTPUT_H
#define CLI_TOP_OUTPUT_H

#include "base/buffer.h"
#include "base/error.h"

#include <signal.h>
#include <sys/types.h>

struct top_output {
    int fd;
    struct buffer kept; /* the end of what was taken out of the file */
};

/* Makes the file. */
struct error *top_output_init(struct top_output *output);

/* Accepts one with fd -1. */
void top_output_deinit(struct top_output *output);

/*
 * Starts a program that reads nothing and writes into the file. Where output is NULL, it reads what we do and writes to
 * our standard error, as standard output has our text.
 */
struct error *top_output_launch(const struct top_output *output, char *const argv[], const sigset_t *signals,
                                pid_t *ret);

/* Keeps the file short. */
void top_output_trim(struct top_output *output);

/* Appends the last lines, harmless. */
void top_output_append(struct top_output *output, struct buffer *ret_text);

/* Leaves somebody behind who keeps the file short as long as the program lives. */
void top_output_leave(struct top_output *output, pid_t program);

#endif
