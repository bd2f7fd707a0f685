/* SPDX-License-Identifier: MIT */
/*
 * The forms in which a dump is printed. Each returns an error only when memory runs out; errors of the stream are the
 * caller's to look for with ferror().
 */
#ifndef FORMATS_DUMP_FORMATS_H
#define FORMATS_DUMP_FORMATS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct process_dump;

struct dump_format_options {
    bool full_filenames;
};

/*
 * For a person: the process, then each thread with its state and name, the innermost frame first, with its source line
 * and a mark under the expression where they are known, and under it its arguments and locals, if they were read.
 */
struct error *dump_format_text(const struct process_dump *dump, const struct dump_format_options *options, FILE *out);

/*
 * A list of threads in py-spy 0.4.2's shape: pid, thread_id, thread_name, os_thread_id, active, owns_gil, frames
 * (innermost first: name, filename, module, short_filename, line, locals, is_entry) and process_info. A frame has
 * end_line, column and end_column besides, null where they are not known, and kind: "python", "native", "kernel" or
 * "mark". The module of a native frame is the library with its code, where its source is not known. locals, null unless
 * they were read, are objects with name, arg (whether it is an argument), repr and unsteady (nothing proves that it is
 * of the stack's moment).
 *
 * "wait" is null, or what a thread waits for: kind ("gil", "lock", "thread", "futex", "io", "sleep", "child",
 * "syscall"), system_call, action (of "io": "read", "write", "accept", "connect", "lock", "sync", "open", "events"),
 * owner and owner_os_id (who has what is waited for), address (of the lock or futex), remaining and limit (seconds),
 * pid (of the child), target (type of a lock, name of a file, command line of a child), epoll (the descriptor by which
 * the files are watched), files (each with fd and target) and more_files (how many are not listed).
 */
struct error *dump_format_json(const struct process_dump *dump, FILE *out);

/* The same for the threads of several processes, one behind the other; process_info has the parent, if that is shown.
 */
struct error *dump_format_json_of_all(const struct process_dump *dumps, uint32_t count, FILE *out);

/*
 * One of several readings, in one line: an object with the reading's number (from 1), its time (seconds since 1970) and
 * such a list, "threads", in which each has "unchanged", for how many readings before its stack was the same.
 */
struct error *dump_format_json_line(const struct process_dump *dumps, uint32_t count, uint32_t reading, double time,
                                    FILE *out);

#endif
