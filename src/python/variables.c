/* SPDX-License-Identifier: MIT */
#include "python/variables.h"

#include "base/cleanup.h"
#include "python.h"
#include "text.h"
#include "value.h"

#include <inttypes.h>

enum {
    WORD_LEN = sizeof(uint64_t),
    /* CPython Include/code.h: co_flags. */
    FLAG_VARARGS = 0x4,
    FLAG_VARKEYWORDS = 0x8,
    /* CPython 3.11 Include/internal/pycore_code.h: co_localspluskinds. */
    KIND_CELL = 0x40,
    KIND_FREE = 0x80,
    /* CPython 3.14 Include/internal/pycore_stackref.h: Py_INT_TAG: a number in place of a pointer. */
    TAG_INT = 3,
    TAG_INT_SHIFT = 2,
};

/* A variable whose texts are still growing with the buffer: where they begin in it. */
struct found_variable {
    size_t name, value, end;
    bool is_argument;
};

struct python_variables {
    const struct python *python;
    uint32_t text_limit;
    uint64_t sample; /* in which the memory that the values know was read */
    struct values values;
    struct buffer texts; /* of the current frame's variables, each with a NUL behind it */
    struct found_variable *found;
    uint32_t count, capacity, public_capacity;
    struct python_variable *variables;
};

struct error *python_variables_create(const struct python *python, uint32_t text_limit, struct python_variables **ret)
{
    struct python_variables *variables = calloc(1, sizeof(*variables));
    if (!variables)
        return error_no_memory();
    variables->python = python;
    variables->text_limit = text_limit < PYTHON_VALUE_LIMIT ? text_limit : PYTHON_VALUE_LIMIT;
    values_init(&variables->values, python->runtime.layout);
    *ret = variables;
    return NULL;
}

void python_variables_destroy(struct python_variables *variables)
{
    if (!variables)
        return;
    values_deinit(&variables->values);
    buffer_deinit(&variables->texts);
    free(variables->found);
    free(variables->variables);
    free(variables);
}

/* Where the variables of a frame are, and what they are called. */
struct slots {
    remote_addr first; /* in the frame */
    remote_addr names;
    uint64_t count;
    remote_addr kinds;  /* from 3.11 on: a byte for each */
    uint32_t arg_count; /* of the first ones */
    bool are_cells;     /* to 3.10: all of them */
};

static bool read_count(struct values *values, remote_addr address, uint32_t *ret)
{
    return memory_read_u32(values->memory, address, ret) == MEMORY_OK;
}

/* How many of a code object's variables are arguments. */
static uint32_t count_arguments(struct values *values, remote_addr code)
{
    const struct layout *layout = values->layout;
    uint32_t count = 0, kwonly_count = 0, flags = 0;
    read_count(values, code + layout->locals.arg_count, &count);
    read_count(values, code + layout->locals.flags, &flags);
    if (layout->locals.kwonly_count != LAYOUT_NONE)
        read_count(values, code + layout->locals.kwonly_count, &kwonly_count);
    if (count > PYTHON_VARIABLE_LIMIT || kwonly_count > PYTHON_VARIABLE_LIMIT)
        return 0;
    return count + kwonly_count + (flags & FLAG_VARARGS ? 1 : 0) + (flags & FLAG_VARKEYWORDS ? 1 : 0);
}

/* A tuple of names that a code object has. False when it has none that can be read. */
static bool open_names(struct values *values, remote_addr field, struct slots *slots)
{
    remote_addr tuple;
    if (!value_word(values, field, &tuple) || tuple == 0 ||
        !value_open_tuple(values, tuple, &slots->names, &slots->count))
        return false;
    if (slots->count > PYTHON_VARIABLE_LIMIT)
        slots->count = PYTHON_VARIABLE_LIMIT;
    return true;
}

/* What stands in a slot, without its tag. False: nothing, or it cannot be read. */
static bool read_slot(struct values *values, remote_addr slot, uint64_t *ret)
{
    uint64_t tag = values->layout->locals.tag;
    if (!value_word(values, slot, ret) || (*ret & ~tag) == 0)
        return false;
    if (tag == 0 || (*ret & tag) != TAG_INT)
        *ret &= ~tag;
    return true;
}

static bool is_cell(struct values *values, remote_addr object)
{
    const struct object_type *type = value_type(values, object);
    return type && type->kind == VALUE_CELL && type->is_exact;
}

/* Looks into a cell; in a slot for one stands the argument itself until the function has begun. */
static bool open_cell(struct values *values, remote_addr *object)
{
    return !is_cell(values, *object) ||
           (value_word(values, *object + values->layout->cell.value, object) && *object != 0);
}

/* The kind of a variable; 0 in versions that have none. */
static unsigned read_kind(struct values *values, const struct slots *slots, uint64_t index)
{
    unsigned char kind = 0;
    if (slots->kinds != 0 && memory_read(values->memory, slots->kinds + index, &kind, sizeof(kind)) != MEMORY_OK)
        kind = 0;
    return kind;
}

static bool append_name(struct python_variables *variables, remote_addr name)
{
    struct values *values = &variables->values;
    size_t before = variables->texts.len;
    bool is_read = text_read(values->layout, values->memory, name, &variables->texts) == PYTHON_OK;
    if (is_read)
        buffer_append_char(&variables->texts, '\0');
    else
        variables->texts.len = before;
    return is_read;
}

/* Adds a variable with its value: an object, or as a tagged word a number. */
static void add_variable(struct python_variables *variables, remote_addr name, uint64_t value, bool is_argument)
{
    uint64_t tag = variables->values.layout->locals.tag;
    struct found_variable found = {.name = variables->texts.len, .is_argument = is_argument};
    if (!array_grow(&variables->found, variables->count, &variables->capacity, sizeof(*variables->found)) ||
        !append_name(variables, name))
        return;
    found.value = variables->texts.len;
    if (tag != 0 && (value & tag) == TAG_INT)
        buffer_format(&variables->texts, "%" PRId64, (int64_t)value >> TAG_INT_SHIFT);
    else
        values_write(&variables->values, value, variables->text_limit, &variables->texts);
    found.end = variables->texts.len;
    buffer_append_char(&variables->texts, '\0');
    variables->found[variables->count++] = found;
}

/*
 * Finds a name among those of slots. To 3.10 an argument that inner functions use has a cell besides its own slot. The
 * names of variables are interned, so that the same name is the same object: CPython 3.10 Objects/codeobject.c:
 * intern_strings().
 */
static bool find_name(struct values *values, const struct slots *slots, uint64_t count, remote_addr name, uint64_t *ret)
{
    for (uint64_t i = 0; i < count && i < slots->count && !values_are_over(values, 1); i++) {
        remote_addr other;
        if (value_word(values, slots->names + i * WORD_LEN, &other) && other == name) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* What the cell of an argument holds. */
static bool find_cell(struct values *values, const struct slots *cells, remote_addr name, uint64_t *ret)
{
    uint64_t index, value;
    if (!find_name(values, cells, cells->count, name, &index) ||
        !read_slot(values, cells->first + index * WORD_LEN, &value) || !open_cell(values, &value))
        return false;
    *ret = value;
    return true;
}

/* Adds the variable in a slot. cells: those among which an argument's may be, or NULL. */
static void add_slot(struct python_variables *variables, const struct slots *slots, uint64_t index,
                     const struct slots *cells)
{
    struct values *values = &variables->values;
    remote_addr name;
    uint64_t value = 0;
    bool is_argument = index < slots->arg_count;
    if (!value_word(values, slots->names + index * WORD_LEN, &name))
        return;
    bool has_value = read_slot(values, slots->first + index * WORD_LEN, &value);
    bool is_in_cell = slots->are_cells || (read_kind(values, slots, index) & (KIND_CELL | KIND_FREE));
    if (has_value && is_in_cell)
        has_value = open_cell(values, &value);
    if (cells && is_argument && find_cell(values, cells, name, &value))
        has_value = true;
    if (has_value)
        add_variable(variables, name, value, is_argument);
}

/* From 3.11 on, all variables are in one row. */
static void read_row(struct python_variables *variables, remote_addr frame, remote_addr code)
{
    struct values *values = &variables->values;
    const struct layout *layout = values->layout;
    struct slots slots = {.first = frame + layout->locals.first, .arg_count = count_arguments(values, code)};
    uint64_t kind_count;
    if (!open_names(values, code + layout->locals.names, &slots) ||
        !value_word(values, code + layout->locals.kinds, &slots.kinds) ||
        !value_word(values, slots.kinds + layout->bytes.length, &kind_count))
        return;
    slots.kinds += layout->bytes.data;
    if (slots.count > kind_count)
        slots.count = kind_count;
    for (uint64_t i = 0; i < slots.count; i++)
        add_slot(variables, &slots, i, NULL);
}

/* To 3.10, cells follow the locals, and free variables the cells: CPython 3.10 Include/cpython/code.h. */
static void read_three_rows(struct python_variables *variables, remote_addr frame, remote_addr code)
{
    struct values *values = &variables->values;
    const struct layout *layout = values->layout;
    struct slots locals = {.first = frame + layout->locals.first, .arg_count = count_arguments(values, code)};
    struct slots cells = {.are_cells = true}, frees = {.are_cells = true};
    uint32_t local_count;
    if (!read_count(values, code + layout->locals.local_count, &local_count) || local_count > PYTHON_VARIABLE_LIMIT ||
        !open_names(values, code + layout->locals.names, &locals) ||
        !open_names(values, code + layout->locals.cellvars, &cells) ||
        !open_names(values, code + layout->locals.freevars, &frees))
        return;
    cells.first = locals.first + (remote_addr)local_count * WORD_LEN;
    frees.first = cells.first + cells.count * WORD_LEN;
    for (uint64_t i = 0; i < locals.count && i < local_count; i++)
        add_slot(variables, &locals, i, &cells);
    for (uint64_t i = 0; i < cells.count; i++) {
        remote_addr name;
        uint64_t index;
        if (value_word(values, cells.names + i * WORD_LEN, &name) &&
            !find_name(values, &locals, locals.arg_count, name, &index))
            add_slot(variables, &cells, i, NULL);
    }
    for (uint64_t i = 0; i < frees.count; i++)
        add_slot(variables, &frees, i, NULL);
}

/* Makes what was found public, as its texts no longer move. */
static const struct python_variable *publish(struct python_variables *variables, uint32_t *ret_count)
{
    const char *texts = buffer_text(&variables->texts);
    if (variables->texts.failed)
        variables->count = 0;
    variables->texts.failed = false;
    while (variables->public_capacity < variables->count) {
        if (!array_grow(&variables->variables, variables->public_capacity, &variables->public_capacity,
                        sizeof(*variables->variables))) {
            variables->count = 0;
            break;
        }
    }
    for (uint32_t i = 0; i < variables->count; i++) {
        const struct found_variable *found = &variables->found[i];
        variables->variables[i] = (struct python_variable){
            .name = texts + found->name,
            .name_len = found->value - found->name - 1,
            .value = texts + found->value,
            .value_len = found->end - found->value,
            .is_argument = found->is_argument,
        };
    }
    *ret_count = variables->count;
    return variables->count > 0 ? variables->variables : NULL;
}

const struct python_variable *python_variables_read(struct python_variables *variables, struct memory *memory,
                                                    const struct python_frame *frame, uint32_t *ret_count)
{
    const struct python *python = variables->python;
    *ret_count = variables->count = 0;
    buffer_clear(&variables->texts);
    if (variables->sample != python->codes.sample || variables->values.memory != memory)
        values_begin_sample(&variables->values, memory);
    variables->sample = python->codes.sample;
    if (frame->code >= python->codes.count)
        return NULL;
    remote_addr code = python->codes.entries[frame->code].address;
    if (python->runtime.layout->locals.kinds != LAYOUT_NONE)
        read_row(variables, frame->address, code);
    else
        read_three_rows(variables, frame->address, code);
    return publish(variables, ret_count);
}
