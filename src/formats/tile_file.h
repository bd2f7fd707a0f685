/* SPDX-License-Identifier: MIT */
/*
 * The tiles of a timeline, sorted by thread: in a temporary file, as there can be more of them than memory holds.
 */
#ifndef FORMATS_TILE_FILE_H
#define FORMATS_TILE_FILE_H

#include "base/error.h"
#include "timeline.h"

#include <stdint.h>
#include <stdio.h>

struct tile_file {
    FILE *file;
    uint64_t *starts; /* by thread: the tiles before its first one */
    uint32_t thread_count;
};

/* Reads the samples once. The timeline need not outlive it. On failure there is nothing to deinit. */
struct error *tile_file_init(struct tile_file *tiles, struct timeline *timeline);

/* Accepts a zeroed struct. */
void tile_file_deinit(struct tile_file *tiles);

/* Visits the tiles of one thread that are not empty, in the order of time. */
struct error *tile_file_each(const struct tile_file *tiles, uint32_t thread, tile_visitor visit, void *context);

/*
 * Visits stretches that cover all the time from the recording's begin to end_ns: tiles that continue each other are
 * one, and where there are none, the root is the stack and the weight is 0.
 */
struct error *tile_file_each_span(const struct tile_file *tiles, uint32_t thread, uint64_t end_ns, tile_visitor visit,
                                  void *context);

#define cleanup_tile_file __attribute__((cleanup(tile_file_deinit)))

#endif
