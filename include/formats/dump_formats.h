/* SPDX-License-Identifier: MIT */
/*
 * The forms in which a dump is printed. Each returns an error only when memory runs out; errors of the stream are the
 * caller's to look for with ferror().
 */
#ifndef FORMATS_DUMP_FORMATS_H
#define FORMATS_DUMP_FORMATS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

struct process_dump;

struct dump_format_options {
    bool full_filenames;
};

/*
 * For a person: the process, then each thread with its state and name, the innermost frame first, with its source line
 * and a mark under the expression where they are known.
 */
struct error *dump_format_text(const struct process_dump *dump, const struct dump_format_options *options, FILE *out);

/*
 * A list of threads in py-spy 0.4.2's shape: pid, thread_id, thread_name, os_thread_id, active, owns_gil, frames
 * (innermost first: name, filename, module, short_filename, line, locals, is_entry) and process_info. A frame has
 * end_line, column and end_column besides, null where they are not known, and kind: "python", "native", "kernel" or
 * "mark". The module of a native frame is the library with its code, where its source is not known.
 */
struct error *dump_format_json(const struct process_dump *dump, FILE *out);

#endif
