/* SPDX-License-Identifier: MIT */
/*
 * A live view without a screen: a table of text, or one line of JSON, for each step.
 */
#ifndef SCREEN_TEXT_H
#define SCREEN_TEXT_H

#include "base/error.h"

#include <stdint.h>
#include <stdio.h>

struct model;
struct model_settings;

/*
 * Writes what the program did, then at most so many rows (0: all) of the model's list. Errors of the stream are the
 * caller's to look for; returns an error only when memory runs out.
 */
struct error *text_write_table(const struct model *model, const struct model_settings *settings, uint32_t rows,
                               FILE *out);

/*
 * The same as an object in one line: time (seconds since 1970), step and elapsed (seconds), rate (samples a second),
 * load (shares of the step's time, 1 for one thread all the time: active, gil, gil_wait, gc, idle, lost, and cpu, null
 * where it is not known) and rows, each with name, file, line (null where there is none), kind ("python", "native",
 * "kernel", "mark", "thread", "process"), thread and pid (null where they are put together), depth, own and total
 * (percent of the step), own_time and total_time (seconds since the beginning).
 */
struct error *text_write_json(const struct model *model, uint32_t rows, double time, FILE *out);

#endif
