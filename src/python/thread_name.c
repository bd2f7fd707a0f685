/* SPDX-License-Identifier: MIT */
#include "python/walk.h"

#include "base/buffer.h"
#include "dict.h"
#include "layout.h"
#include "python.h"
#include "text.h"

/* Finds the namespace of an interpreter's threading module. The main interpreter's stays where it is, and is
 * remembered. */
static bool find_threading(struct python *python, struct memory *memory, const struct python_thread *thread,
                           remote_addr *ret)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr modules, module;
    if (thread->interpreter == python->threading_interpreter) {
        *ret = python->threading_dict;
        return true;
    }
    if (memory_read_u64(memory, thread->interpreter + layout->interpreter.modules, &modules) != MEMORY_OK ||
        !dict_find_text(layout, memory, modules, "threading", &python->lookups, &module) ||
        memory_read_u64(memory, module + layout->module.dict, ret) != MEMORY_OK || *ret == 0)
        return false;
    if (thread->interpreter_id == 0) {
        python->threading_interpreter = thread->interpreter;
        python->threading_dict = *ret;
    }
    return true;
}

/* The dict of an interpreter's threads, which is looked for once for all of them; 0: there is none. */
static remote_addr find_active(struct python *python, struct memory *memory, const struct python_thread *thread)
{
    remote_addr threading, active;
    if (thread->interpreter == python->active_interpreter)
        return python->active;
    bool is_found = find_threading(python, memory, thread, &threading) &&
                    dict_find_text(python->runtime.layout, memory, threading, "_active", &python->lookups, &active);
    python->active_interpreter = thread->interpreter;
    python->active = is_found ? active : 0;
    return python->active;
}

bool python_thread_name(struct python *python, struct memory *memory, const struct python_thread *thread,
                        struct buffer *buffer)
{
    const struct layout *layout = python->runtime.layout;
    remote_addr object, name;
    buffer_clear(buffer);
    if (!dict_budget_begin(&python->lookups, memory))
        return false;
    /* CPython Lib/threading.py: _active maps thread ids to Thread objects, whose _name (2.7: __name) is a str. */
    remote_addr active = find_active(python, memory, thread);
    bool is_found = active != 0 && dict_find_number(layout, memory, active, thread->id, &python->lookups, &object) &&
                    instance_find_attribute(layout, memory, object, layout->thread_name, &name) &&
                    text_read(layout, memory, name, buffer) == PYTHON_OK;
    dict_budget_end(&python->lookups, memory);
    return is_found;
}
