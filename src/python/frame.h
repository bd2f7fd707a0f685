/* SPDX-License-Identifier: MIT */
/*
 * What the first bytes of a frame (layout->frame.size of them) say.
 */
#ifndef PYTHON_FRAME_H
#define PYTHON_FRAME_H

#include "layout.h"
#include "memory/memory.h"
#include "read.h"

#include <stdbool.h>
#include <stdint.h>

/* The address of its code object; of whatever stands there in a frame that is none of Python's. */
static inline remote_addr frame_code(const struct layout *layout, const unsigned char *frame)
{
    return field_u64(frame, layout->frame.code) & ~(remote_addr)layout->frame.code_tag;
}

/*
 * Offset in bytes of the instruction that a frame executes; negative when it has not started (not so from 3.13 on).
 * Returns false when it cannot be told.
 */
bool frame_find_offset(const struct layout *layout, struct memory *memory, const unsigned char *frame, remote_addr code,
                       int64_t *ret);

#endif
