/* SPDX-License-Identifier: MIT */
/*
 * Reading a recording, whether it is finished, cut off, or still being written. src/profile/RECORDING.md tells the
 * form.
 *
 *     recording_file_open(fd, "run.pyspyc", &file);
 *     recording_file_each_sample(file, visit, context);      as often as is wanted
 *
 * Strings, frames, stacks, threads and processes are held in memory; samples are read from the file each time. The file
 * may be anything: what does not hold together is an error when it is in the head, and ends the recording elsewhere.
 */
#ifndef PROFILE_RECORDING_FILE_H
#define PROFILE_RECORDING_FILE_H

#include "base/error.h"
#include "profile/sample.h"

#include <stdbool.h>
#include <stdint.h>

struct profile;
struct recording_file;

/* Whether a file begins as a recording does; len bytes of its begin are known. */
bool recording_file_is_one(const void *begin, size_t len);

/*
 * Takes the descriptor, which can be read from any position, over when it succeeds. name is for messages. Errors:
 * ERROR_BAD_DATA when it is no recording, or of a version that this program does not know.
 */
struct error *recording_file_open(int fd, const char *name, struct recording_file **ret);

/* Accepts NULL. */
void recording_file_close(struct recording_file *file);

/* Strings, frames, members, and a node for each stack, which no sample is counted in. The file's own. */
const struct profile *recording_file_profile(const struct recording_file *file);

/* sample->node is a node of recording_file_profile(). */
struct error *recording_file_each_sample(struct recording_file *file, sample_visitor visit, void *context);

/* Whether it has samples of threads that waited. */
bool recording_file_has_idle(const struct recording_file *file);

/* Whether its writer ended it; if not, it was cut off, or is still written. */
bool recording_file_is_finished(const struct recording_file *file);

/* Bytes from the file's begin that can be used, */
uint64_t recording_file_good_len(const struct recording_file *file);

/* and those at its end that hold nothing that can be used: of a block that was not written whole, or damage. */
uint64_t recording_file_lost_bytes(const struct recording_file *file);

static inline void cleanup_recording_file_close(struct recording_file **file)
{
    recording_file_close(*file);
}

#define cleanup_recording_file __attribute__((cleanup(cleanup_recording_file_close)))

#endif
