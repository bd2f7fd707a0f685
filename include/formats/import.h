/* SPDX-License-Identifier: MIT */
/*
 * Profiles of other tools, made into recordings, so that everything that there is for a recording is there for them.
 *
 * Read are collapsed stacks ("a;b;c 12", of flamegraph.pl's kind, also those of py-spy and Austin) and the files of
 * google's pprof, both of them gzipped or not; which of them a file is, it tells itself. A recording that is gzipped,
 * or comes through a pipe, is copied.
 *
 * Such a file tells how often each stack was seen, and not when. In the recording, the samples of each thread follow
 * one another without gaps.
 */
#ifndef FORMATS_IMPORT_H
#define FORMATS_IMPORT_H

#include "base/error.h"

struct buffer;

/*
 * Reads a file up to its end, from a descriptor that need not be one that can seek, and writes a finished recording to
 * another, which is empty. Both stay the caller's. name is for messages and titles. What should be known about the
 * result is appended to notes, each sentence followed by a newline.
 *
 * Errors: ERROR_BAD_DATA when it is no such file, or damaged, or larger than anything that makes sense; ERROR_OS.
 */
struct error *import_recording(int in, const char *name, int recording, struct buffer *notes);

#endif
