/* SPDX-License-Identifier: MIT */
/*
 * Writing a recording: an append-only file of blocks, each of which is compressed, checked, and of use without those
 * behind it. src/profile/RECORDING.md tells the form.
 *
 *     recording_writer_create(fd, &writer);
 *     again and again:
 *         recording_writer_gather(writer, profile);          what the profile has that is new
 *         recording_writer_append(writer, samples, count);   samples, whose nodes and threads the profile has by now
 *         recording_writer_write(writer);
 *     recording_writer_finish(writer);
 */
#ifndef PROFILE_RECORDING_WRITER_H
#define PROFILE_RECORDING_WRITER_H

#include "base/error.h"
#include "profile/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile;
struct recording_writer;

/* Writes to a descriptor, from its position on; it stays the caller's. */
struct error *recording_writer_create(int fd, struct recording_writer **ret);

/* Where a recording goes on when it can be written no further, as the disk is full. */
struct recording_refuge {
    void *context;

    /* Another file, empty, or -1 when there is none: then the writer fails. It stays the owner's. */
    int (*open)(void *context);

    /*
     * Tells what became of the file that was opened last: all that was written before is in it now, too, and the writer
     * goes on there, so that the file before is of no use; or that failed, and another one is asked for. why: the
     * failure that began it.
     */
    void (*settle)(void *context, bool is_used, const struct error *why);
};

/* The same, for a descriptor that can be read, too. The refuge must outlive the writer. */
struct error *recording_writer_create_with_refuge(int fd, const struct recording_refuge *refuge,
                                                  struct recording_writer **ret);

/* Accepts NULL. What was not written is dropped. */
void recording_writer_destroy(struct recording_writer *writer);

/*
 * Takes what the profile has that it had not before, and its info. It is always the same profile, whose counts of
 * samples do not matter. Does not write.
 */
void recording_writer_gather(struct recording_writer *writer, const struct profile *profile);

/*
 * The profile has been made anew: it has the members that it had, and none of its strings, frames and nodes. Comes
 * after a write.
 */
void recording_writer_begin_anew(struct recording_writer *writer, const struct profile *profile);

/* Takes samples. Does not write. */
void recording_writer_append(struct recording_writer *writer, const struct sample *samples, uint32_t count);

/* How many bytes were taken and not written: one block can have 2^28. */
size_t recording_writer_pending(const struct recording_writer *writer);

/* How long the file is, up to its last whole block. */
uint64_t recording_writer_len(const struct recording_writer *writer);

/* How many bytes it can get yet, before the disk is full or the limit of a file's size (ulimit -f) is met. */
uint64_t recording_writer_room(const struct recording_writer *writer);

/*
 * Writes what was taken as one block. When that fails, and there is no refuge, the file is cut back to its last whole
 * block, and what was taken is lost. Errors: ERROR_OS, as for a full disk, ERROR_NO_MEMORY.
 */
struct error *recording_writer_write(struct recording_writer *writer);

/* Writes what was taken, and marks the recording as finished. */
struct error *recording_writer_finish(struct recording_writer *writer);

static inline void cleanup_recording_writer_destroy(struct recording_writer **writer)
{
    recording_writer_destroy(*writer);
}

#define cleanup_recording_writer __attribute__((cleanup(cleanup_recording_writer_destroy)))

#endif
