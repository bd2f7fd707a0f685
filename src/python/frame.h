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

enum {
    /* CPython 3.12 Include/internal/pycore_frame.h: enum _frameowner; 3.11 has no C_STACK. */
    OWNER_THREAD = 0,
    OWNER_GENERATOR = 1, /* stands also for all frames of versions to 3.10 */
    OWNER_C_STACK = 3,   /* 3.14 and 3.15: OWNER_INTERPRETER; what is larger is not a Python frame either */
};

static inline unsigned frame_owner(const struct layout *layout, const unsigned char *frame)
{
    return layout->frame.owner == LAYOUT_NONE ? OWNER_GENERATOR : frame[layout->frame.owner];
}

/* What tells where in its code it is, see frame_find_offset(). */
static inline uint64_t frame_instruction(const struct layout *layout, const unsigned char *frame)
{
    return layout->frame.instruction_unit != 0 ? field_u32(frame, layout->frame.instruction)
                                               : field_u64(frame, layout->frame.instruction);
}

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
