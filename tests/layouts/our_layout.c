/* SPDX-License-Identifier: MIT */
/*
 * Prints our layout of a version, a field a line, in the words of header_layout.c: our_layout 3 14, or of its
 * free-threaded build: our_layout 3 14t.
 */
#include "python/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_field(const char *name, unsigned offset)
{
    if (offset != LAYOUT_NONE)
        printf("%s %u\n", name, offset);
}

#define PRINT(field) print_field(#field, layout->field)

static void print_interpreter(const struct layout *layout)
{
    PRINT(runtime.interpreters_head);
    PRINT(runtime.gil);
    PRINT(interpreter.next);
    PRINT(interpreter.threads_head);
    PRINT(interpreter.modules);
    PRINT(interpreter.gil_pointer);
    PRINT(interpreter.sysdict);
    PRINT(interpreter.builtins);
    PRINT(interpreter.id);
    PRINT(interpreter.collecting);
    PRINT(interpreter.collecting_frame);
    PRINT(gil.enabled);
    PRINT(gil.last_holder);
    PRINT(gil.locked);
    PRINT(gil.switch_number);
    PRINT(gil.condition);
    PRINT(thread.next);
    PRINT(thread.interpreter);
    PRINT(thread.frame);
    PRINT(thread.cframe);
    PRINT(thread.cframe_frame);
    PRINT(thread.cframe_previous);
    PRINT(thread.id);
    PRINT(thread.native_id);
    PRINT(thread.state);
    PRINT(thread.stack_chunk);
}

static void print_code(const struct layout *layout)
{
    PRINT(frame.code);
    PRINT(frame.previous);
    PRINT(frame.instruction);
    PRINT(frame.is_entry);
    PRINT(frame.owner);
    PRINT(frame.tlbc_index);
    PRINT(code.filename);
    PRINT(code.name);
    PRINT(code.qualname);
    PRINT(code.line_table);
    PRINT(code.first_line);
    PRINT(code.version);
    PRINT(code.instructions);
    PRINT(code.first_traceable);
    PRINT(code.tlbc);
}

static void print_objects(const struct layout *layout)
{
    PRINT(object.type);
    PRINT(object.var_size);
    PRINT(text.length);
    PRINT(text.hash);
    PRINT(text.state);
    PRINT(text.ascii_data);
    PRINT(text.compact_data);
    PRINT(bytes.length);
    PRINT(bytes.data);
    PRINT(type.name);
    PRINT(type.basic_size);
    PRINT(type.flags);
    PRINT(type.dict_offset);
    PRINT(type.cached_keys);
    PRINT(dict.mask);
    PRINT(dict.table);
    PRINT(dict.keys);
    PRINT(dict.values);
    PRINT(integer.tag);
    PRINT(integer.digits);
    /* To 3.10 the keys object, and in all versions the module object, are in no header. */
    if (layout->dict.kind == LAYOUT_NONE)
        return;
    PRINT(dict.log2_index_bytes);
    PRINT(dict.kind);
    PRINT(dict.entry_count);
    PRINT(dict.indices);
    PRINT(dict.first_value);
}

static void print_locals(const struct layout *layout)
{
    PRINT(locals.first);
    PRINT(locals.arg_count);
    PRINT(locals.kwonly_count);
    PRINT(locals.flags);
    PRINT(locals.names);
    PRINT(locals.kinds);
    PRINT(locals.local_count);
    PRINT(locals.cellvars);
    PRINT(locals.freevars);
}

static void print_values(const struct layout *layout)
{
    PRINT(type.item_size);
    PRINT(type.repr);
    PRINT(type.members);
    PRINT(type.base);
    PRINT(type.dict);
    PRINT(type.mro);
    PRINT(type.qualname);
    PRINT(tuple.items);
    PRINT(list.items);
    PRINT(set.mask);
    PRINT(set.table);
    PRINT(set.key);
    PRINT(byte_array.start);
    PRINT(cell.value);
    PRINT(function.code);
    PRINT(function.qualname);
    PRINT(function.name);
    PRINT(generator.name);
}

int main(int argc, char **argv)
{
    const struct layout *layout = NULL;
    if (argc == 3)
        layout = layout_of_version((unsigned)strtoul(argv[1], NULL, 10), (unsigned)strtoul(argv[2], NULL, 10),
                                   strchr(argv[2], 't') != NULL);
    if (!layout) {
        fprintf(stderr, "usage: our_layout MAJOR MINOR[t]\n");
        return 2;
    }
    print_interpreter(layout);
    print_code(layout);
    print_objects(layout);
    print_locals(layout);
    print_values(layout);
    return 0;
}
