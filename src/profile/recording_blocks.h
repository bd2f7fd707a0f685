/* SPDX-License-Identifier: MIT */
/*
 * The blocks of a recording, one after another, and the sections in each: see RECORDING.md.
 */
#ifndef PROFILE_RECORDING_BLOCKS_H
#define PROFILE_RECORDING_BLOCKS_H

#include "base/buffer.h"
#include "base/error.h"
#include "codec.h"
#include "recording_form.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct recording_blocks {
    int fd;
    off_t at;  /* of the next block */
    off_t end; /* of what is to be read */
    struct buffer packed;
    struct buffer content; /* of the block that was read last */
};

/* Frees the buffers; the descriptor stays. */
void recording_blocks_deinit(struct recording_blocks *blocks);

/* Reads the next block into content. *ret is false when there is none, or none that is whole. */
struct error *recording_blocks_next(struct recording_blocks *blocks, bool *ret);

/* The decoder for a block's content; then for each section its data. False at the end, or when that is damaged. */
struct decoder recording_blocks_content(const struct recording_blocks *blocks);
bool recording_next_section(struct decoder *content, enum recording_section *ret_section, struct decoder *ret_data);

#define cleanup_recording_blocks __attribute__((cleanup(recording_blocks_deinit)))

#endif
