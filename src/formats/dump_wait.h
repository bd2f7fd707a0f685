/* SPDX-License-Identifier: MIT */
/*
 * What a thread of a dump waits for, in words and as JSON.
 */
#ifndef FORMATS_DUMP_WAIT_H
#define FORMATS_DUMP_WAIT_H

struct buffer;
struct dump_wait;
struct process_dump;

/* Appends a line, "    sleeps, 1.30 s remain"; nothing when it waits for nothing. The dump tells the names of threads.
 */
void dump_wait_append_text(struct buffer *text, const struct process_dump *dump, const struct dump_wait *wait);

/* Appends an object, or null. */
void dump_wait_append_json(struct buffer *json, const struct dump_wait *wait);

#endif
