/* SPDX-License-Identifier: MIT */
/*
 * What a frame is called in text formats and pictures. Labels are raw text of the target: each sink sanitizes them.
 */
#ifndef FORMATS_LABEL_H
#define FORMATS_LABEL_H

#include "base/buffer.h"

#include <stdint.h>

struct format_options;
struct profile;

#define LABEL_NO_NAME "(no name)" /* of a frame whose name is empty */

/*
 * Appends `name (file:line)` for a frame of Python or native code, `name (file)` when the line is 0, as it is where the
 * file is a library; `name` when there is no file; `name (kernel)` for a system call; the name alone for threads and
 * processes. The file is the short one unless options->full_filenames.
 */
void label_append(struct buffer *out, const struct profile *profile, uint32_t frame,
                  const struct format_options *options);

/* Appends the place alone: `file:line`, `file`, `kernel`, or nothing. */
void label_append_place(struct buffer *out, const struct profile *profile, uint32_t frame,
                        const struct format_options *options);

#endif
