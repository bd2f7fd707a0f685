/* SPDX-License-Identifier: MIT */
/*
 * Files that a process has read its program from, as long as they still say what it read.
 *
 * A file counts as unchanged when neither its content nor its inode was changed since the program began. Its path comes
 * from the process's memory, so it is only read if its owner and mode let the process's user read it. The folders above
 * it are not looked at.
 */
#ifndef TARGET_SOURCE_FILE_H
#define TARGET_SOURCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;
struct process;

/*
 * When the program that runs in a process was begun, in nanoseconds since 1970: before that process was made, if it was
 * forked without an exec. False when that cannot be told.
 */
bool program_start_time(const struct process *process, int64_t *ret_ns);

/* What lets a file be read that is named by something else than a live process. */
struct source_reader {
    int64_t since_ns;     /* it has to be unchanged since then */
    uint64_t user, group; /* who could read it by these alone */
};

/*
 * Replaces the buffer's content by that of a regular file. path: as the process sees it, from its root or from the
 * folder that it is in. False when there is none, or it is not unchanged since a time, not the process's to read, or
 * longer than limit bytes.
 */
bool source_file_read(const struct process *process, const char *path, int64_t since_ns, size_t limit,
                      struct buffer *buffer);

/* The same of one of our own files; its path begins with a slash. */
bool source_file_read_own(const struct source_reader *reader, const char *path, size_t limit, struct buffer *buffer);

#endif
