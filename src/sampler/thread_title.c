/* SPDX-License-Identifier: MIT */
#include "thread_title.h"

#include "base/buffer.h"
#include "python/walk.h"

bool thread_title_find(struct python *python, struct memory *memory, const struct python_thread *thread, bool is_main,
                       struct buffer *buffer)
{
    if (python_thread_name(python, memory, thread, buffer))
        return true;
    buffer_clear(buffer);
    /* Until threading is imported nobody has a name, but the main thread is to have that one. */
    if (is_main)
        buffer_append_text(buffer, "MainThread");
    return buffer->len > 0;
}
