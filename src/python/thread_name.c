/* SPDX-License-Identifier: MIT */
#include "python/walk.h"

#include "base/buffer.h"
#include "dict.h"
#include "layout.h"
#include "python.h"
#include "text.h"

/* Finds the namespace of the threading module; it stays where it is. */
static bool find_threading(struct python *python, struct memory *memory)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr interpreter, modules, module;
    if (python->threading_dict != 0)
        return true;
    return memory_read_u64(memory, python->runtime.address + layout->runtime.interpreters_head, &interpreter) ==
               MEMORY_OK &&
           memory_read_u64(memory, interpreter + layout->interpreter.modules, &modules) == MEMORY_OK &&
           dict_find_text(layout, memory, modules, "threading", &module) &&
           memory_read_u64(memory, module + layout->module.dict, &python->threading_dict) == MEMORY_OK &&
           python->threading_dict != 0;
}

bool python_thread_name(struct python *python, struct memory *memory, uint64_t thread_id, struct buffer *buffer)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr active, thread, name;
    buffer_clear(buffer);
    /* CPython Lib/threading.py: _active maps thread ids to Thread objects, whose _name (2.7: __name) is a str. */
    return find_threading(python, memory) &&
           dict_find_text(layout, memory, python->threading_dict, "_active", &active) &&
           dict_find_number(layout, memory, active, thread_id, &thread) &&
           instance_find_attribute(layout, memory, thread, layout->thread_name, &name) &&
           text_read(layout, memory, name, buffer) == PYTHON_OK;
}
