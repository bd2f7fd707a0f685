/* SPDX-License-Identifier: MIT */
/*
 * What `dump` does: reads processes, once or again and again, and prints them.
 */
#ifndef CLI_DUMP_READINGS_H
#define CLI_DUMP_READINGS_H

#include "formats/dump_formats.h"
#include "process_options.h"
#include "sampler/dumping.h"

#include <stdbool.h>
#include <stdint.h>

struct filter;

struct dump_plan {
    struct process_options processes;
    const char *core, *executable; /* a core file, and where its executable is; NULL: not given */
    struct dumping_options reading;
    bool is_json;
    bool is_repeated;
    uint32_t repeat;   /* readings; 0: until a signal */
    uint64_t every_ns; /* from the begin of one to the next */
    struct dump_format_options format;
    const struct filter *filter;
};

/* Prints what is read, and messages. Returns the exit status. */
int dump_readings_run(const struct dump_plan *plan);

#endif
