/* SPDX-License-Identifier: MIT */
/*
 * Several readings of the same processes: which threads stand where they stood before.
 *
 *     dump_history_compare(&history, &dump);       for each process of a reading
 *     dump_history_next(&history);                 when all have been read
 */
#ifndef PROFILE_DUMP_HISTORY_H
#define PROFILE_DUMP_HISTORY_H

#include "base/table.h"

#include <stdbool.h>
#include <stdint.h>

struct process_dump;
struct dump_trace;

/* The threads of one reading. */
struct dump_traces {
    struct dump_trace *traces;
    uint32_t count, capacity;
    struct table by_thread;
};

/* A zeroed struct is valid and empty. */
struct dump_history {
    struct dump_traces before, now;
};

void dump_history_deinit(struct dump_history *history);

/* Says of each thread of a dump for how many readings its stack has been the same. False without memory. */
bool dump_history_compare(struct dump_history *history, struct process_dump *dump);

/* What was compared since the last call is what the next dumps are compared with. */
void dump_history_next(struct dump_history *history);

#define cleanup_dump_history __attribute__((cleanup(dump_history_deinit)))

#endif
