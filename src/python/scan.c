/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include "data_reader.h"
#include "debug_offsets.h"

#include <string.h>

enum {
    WORD = sizeof(uint64_t),
    INTERPRETER_LIMIT = 1 << 12,  /* in one runtime */
    FOUND_LIMIT = 64,             /* interpreters that are looked at closely; measured: at most 3 in a CPython */
    NEIGHBOUR_LIMIT = 64,         /* bytes */
    TYPE_NAME_AFTER_TYPE_AT = 16, /* from ob_type, over ob_size, to tp_name; in every version and build */
};

/* Whether an object is a type: the type of types is its own type. */
static bool is_type(const struct layout *layout, struct memory *memory, remote_addr object)
{
    remote_addr type, type_of_types;
    return memory_read_u64(memory, object + layout->object.type, &type) == MEMORY_OK && type != 0 &&
           memory_read_u64(memory, type + layout->object.type, &type_of_types) == MEMORY_OK && type == type_of_types;
}

/*
 * Whether an object at the address is of the type of this name. A core file may lack the names of types, which are
 * never written to; then any type will do.
 */
static bool has_type(const struct layout *layout, struct memory *memory, remote_addr object, const char *name)
{
    char text[8] = {0};
    remote_addr type, text_address;
    if (memory_read_u64(memory, object + layout->object.type, &type) != MEMORY_OK ||
        memory_read_u64(memory, type + layout->object.type + TYPE_NAME_AFTER_TYPE_AT, &text_address) != MEMORY_OK)
        return false;
    if (memory_read(memory, text_address, text, strlen(name) + 1) != MEMORY_OK)
        return text_address != 0 && is_type(layout, memory, type);
    return strcmp(text, name) == 0;
}

bool scan_is_interpreter(const struct layout *layout, struct memory *memory, remote_addr address)
{
    remote_addr thread, interpreter, modules;
    return memory_read_u64(memory, address + layout->interpreter.threads_head, &thread) == MEMORY_OK && thread != 0 &&
           memory_read_u64(memory, thread + layout->thread.interpreter, &interpreter) == MEMORY_OK &&
           interpreter == address &&
           memory_read_u64(memory, address + layout->interpreter.modules, &modules) == MEMORY_OK &&
           has_type(layout, memory, modules, "dict");
}

/* Whether the list of interpreters that begins with one ends with the other. */
static bool leads_to(const struct layout *layout, struct memory *memory, remote_addr first, remote_addr last)
{
    remote_addr next = first;
    for (int i = 0; i < INTERPRETER_LIMIT && next != 0; i++) {
        remote_addr current = next;
        if (memory_read_u64(memory, current + layout->interpreter.next, &next) != MEMORY_OK)
            return false;
        if (next == 0)
            return current == last;
    }
    return false;
}

/* Interpreters lie in memory that can be written. This asks the maps only, and so costs no reading. */
static bool may_be_interpreter(const struct maps *maps, remote_addr address)
{
    const struct mapping *mapping = address % WORD == 0 ? maps_find(maps, address) : NULL;
    return mapping && mapping->readable && mapping->writable;
}

/* What to look for, and how much of it is left to be looked at. */
struct search {
    const struct layout *layout;
    const struct maps *maps;
    struct memory *memory;
    bool is_alone; /* look only for a main interpreter that is also the newest */
    int left;
};

/* From 3.7 on a second word, the main interpreter, follows; CPython Include/internal/pycore_runtime.h. */
static bool is_list_of_interpreters(struct search *search, const char *words)
{
    remote_addr newest, main;
    memcpy(&newest, words, WORD);
    memcpy(&main, words + WORD, WORD);
    bool has_main = search->layout->runtime.interpreters_head != 0;
    if (has_main && search->is_alone && newest != main)
        return false;
    if (!may_be_interpreter(search->maps, newest) || (has_main && !may_be_interpreter(search->maps, main)) ||
        !scan_is_interpreter(search->layout, search->memory, newest))
        return false;
    search->left--;
    return !has_main || leads_to(search->layout, search->memory, newest, main);
}

static remote_addr scan_once(struct search *search, const struct python_data *data)
{
    cleanup_data_reader struct data_reader reader;
    data_reader_init(&reader, data, search->memory);
    while (data_reader_next(&reader)) {
        for (size_t i = 0; i + WORD <= reader.len && search->left > 0; i += WORD) {
            if (is_list_of_interpreters(search, reader.bytes + i))
                return reader.address + i - search->layout->runtime.interpreters_head;
        }
    }
    return 0;
}

remote_addr scan_for_runtime(const struct python_data *data, const struct maps *maps, const struct layout *layout,
                             struct memory *memory)
{
    struct search search = {.layout = layout, .maps = maps, .memory = memory, .is_alone = true, .left = FOUND_LIMIT};
    /* Equal neighbours are few, and to follow a pointer takes a system call: measured, 0.2 s are saved in a 3.12. */
    remote_addr runtime = scan_once(&search, data);
    search.is_alone = false;
    return runtime ? runtime : scan_once(&search, data);
}

/* CPython 2.7 and 3.6 Python/pystate.c has both among a few static variables; measured: 8 and 16 bytes apart. */
remote_addr scan_for_current_thread(const struct layout *layout, struct memory *memory, remote_addr interpreters)
{
    remote_addr interpreter, of_thread;
    if (memory_read_u64(memory, interpreters, &interpreter) != MEMORY_OK)
        return 0;
    for (remote_addr at = interpreters - NEIGHBOUR_LIMIT; at <= interpreters + NEIGHBOUR_LIMIT; at += WORD) {
        remote_addr thread;
        if (memory_read_u64(memory, at, &thread) == MEMORY_OK && thread != 0 &&
            memory_read_u64(memory, thread + layout->thread.interpreter, &of_thread) == MEMORY_OK &&
            of_thread == interpreter)
            return at;
    }
    return 0;
}

bool scan_for_debug_offsets(const struct python_data *data, struct memory *memory, remote_addr *address)
{
    cleanup_data_reader struct data_reader reader;
    data_reader_init(&reader, data, memory);
    while (data_reader_next(&reader)) {
        for (size_t i = 0; i + WORD <= reader.len; i += WORD) {
            struct debug_offsets offsets;
            if (reader.address + i >= *address && memcmp(reader.bytes + i, "xdebugpy", WORD) == 0 &&
                debug_offsets_read(memory, reader.address + i, &offsets)) {
                *address = reader.address + i;
                return true;
            }
        }
    }
    return false;
}
