/* SPDX-License-Identifier: MIT */
#include "python/frame_details.h"

#include "base/buffer.h"
#include "frame.h"
#include "layout.h"
#include "locations.h"
#include "method.h"
#include "python.h"

void python_keep_tables(struct python *python)
{
    python->codes.keeps_tables = true;
}

void python_keep_anchors(struct python *python)
{
    python->keeps_anchors = true;
}

/* The entry of a frame's code; NULL for a mark. */
static const struct code_entry *entry_of(const struct python *python, const struct python_frame *frame)
{
    return frame->code < python->codes.count ? &python->codes.entries[frame->code] : NULL;
}

bool python_frame_position(const struct python *python, struct memory *memory, const struct python_frame *frame,
                           struct python_position *ret)
{
    const struct layout *layout = python->runtime.layout;
    const struct code_entry *entry = entry_of(python, frame);
    unsigned char head[LAYOUT_FRAME_LEN];
    int64_t offset;
    return entry && layout->line_format == LINES_LOCATIONS &&
           memory_read(memory, frame->address, head, layout->frame.size) == MEMORY_OK &&
           frame_code(layout, head) == entry->address &&
           frame_find_offset(layout, memory, head, entry->address, &offset) &&
           position_find(entry->table, entry->table_len, entry->code.first_line, offset, ret);
}

bool python_frame_method(struct python *python, struct memory *memory, const struct python_frame *frame,
                         struct buffer *buffer)
{
    const struct code_entry *entry = entry_of(python, frame);
    return entry && python->runtime.layout->code.qualname == LAYOUT_NONE &&
           method_find_name(python->runtime.layout, memory, frame->address, entry->address, entry->code.name,
                            &python->lookups, buffer);
}
