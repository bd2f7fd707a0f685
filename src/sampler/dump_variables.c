/* SPDX-License-Identifier: MIT */
#include "dump_variables.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "profile/process_dump.h"
#include "python/variables.h"
#include "python/walk.h"

#include <string.h>

/*
 * Of a whole dump; a thread takes half of what is left at most. A deep recursion has some 100,000 frames. Programs can
 * be made to have far more to tell.
 */
enum {
    VARIABLE_LIMIT = 1 << 19,
    BYTE_LIMIT = 1 << 26,
};

struct error *dump_variables_init(struct dump_variables *variables, const struct python *python, uint32_t text_limit)
{
    *variables = (struct dump_variables){.left = VARIABLE_LIMIT, .bytes_left = BYTE_LIMIT};
    return text_limit > 0 ? python_variables_create(python, text_limit, &variables->reader) : NULL;
}

static void forget(struct frame_variables *frame)
{
    for (uint32_t i = 0; i < frame->count; i++) {
        free(frame->variables[i].name.bytes);
        free(frame->variables[i].value.bytes);
    }
    free(frame->variables);
    *frame = (struct frame_variables){0};
}

void dump_variables_begin(struct dump_variables *variables)
{
    variables->left = VARIABLE_LIMIT - variables->taken;
    variables->bytes_left = BYTE_LIMIT - variables->bytes_taken;
    for (uint32_t i = 0; i < variables->capacity; i++)
        forget(&variables->frames[i]);
}

void dump_variables_deinit(struct dump_variables *variables)
{
    dump_variables_begin(variables);
    free(variables->frames);
    python_variables_destroy(variables->reader);
    *variables = (struct dump_variables){0};
}

/* Makes room for frames up to this one; the new ones have no variables. */
static bool make_room(struct dump_variables *variables, uint32_t index)
{
    while (variables->capacity <= index) {
        uint32_t before = variables->capacity;
        if (!array_grow(&variables->frames, before, &variables->capacity, sizeof(*variables->frames)))
            return false;
        memset(variables->frames + before, 0, (variables->capacity - before) * sizeof(*variables->frames));
    }
    return true;
}

/* Copies the variables of a frame; false without memory. */
static bool copy(struct frame_variables *frame, const struct python_variable *found, uint32_t count)
{
    frame->variables = calloc(count > 0 ? count : 1, sizeof(*frame->variables));
    if (!frame->variables)
        return false;
    frame->is_read = true;
    for (uint32_t i = 0; i < count; i++) {
        struct dump_variable *variable = &frame->variables[i];
        variable->name = dump_text_copy(found[i].name, found[i].name_len);
        variable->value = dump_text_copy(found[i].value, found[i].value_len);
        variable->is_argument = found[i].is_argument;
        frame->count = i + 1;
        if (!variable->name.bytes || !variable->value.bytes)
            return false;
    }
    return true;
}

/* What has to be left when a thread is read: variables, and bytes. */
struct reserve {
    uint32_t variables;
    size_t bytes;
};

/* Whether there is still room for variables, which they take. */
static bool spend(struct dump_variables *variables, const struct reserve *reserve, const struct python_variable *found,
                  uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += found[i].name_len + found[i].value_len;
    if (count > variables->left - reserve->variables || bytes > variables->bytes_left - reserve->bytes)
        return false;
    variables->left -= count;
    variables->bytes_left -= bytes;
    return true;
}

void dump_variables_read(struct dump_variables *variables, const struct python *python, struct memory *memory,
                         const struct python_thread *thread)
{
    const struct reserve reserve = {variables->left / 2, variables->bytes_left / 2};
    for (uint32_t i = 0; variables->reader && i < thread->frame_count; i++) {
        uint32_t index = thread->first_frame + i, count;
        const struct python_frame *frame = &python_frames(python)[index];
        const struct python_variable *found = python_variables_read(variables->reader, memory, frame, &count);
        if (!make_room(variables, index)) {
            variables->failed = true;
            return;
        }
        forget(&variables->frames[index]);
        if (!spend(variables, &reserve, found, count))
            return;
        variables->failed |= !copy(&variables->frames[index], found, count);
    }
}

void dump_variables_take(struct dump_variables *variables, uint32_t index, bool is_unsteady, struct dump_frame *ret)
{
    if (index >= variables->capacity || !variables->frames[index].is_read)
        return;
    ret->variables = variables->frames[index].variables;
    ret->variable_count = variables->frames[index].count;
    variables->taken += ret->variable_count;
    for (uint32_t i = 0; i < ret->variable_count; i++) {
        ret->variables[i].is_unsteady = is_unsteady;
        variables->bytes_taken += ret->variables[i].name.len + ret->variables[i].value.len;
    }
    variables->frames[index] = (struct frame_variables){0};
}
