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

#include <stddef.h>
#include <stdint.h>

struct profile;
struct recording_writer;

/* Writes to a descriptor, from its position on; it stays the caller's. */
struct error *recording_writer_create(int fd, struct recording_writer **ret);

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

/*
 * Writes what was taken as one block. When that fails, the file is cut back to its last whole block, and what was taken
 * is lost. Errors: ERROR_OS, as for a full disk, ERROR_NO_MEMORY.
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
