/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/*
 * Offsets of CPython 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0 on x86-64. tests/layouts compares each with the
 * interpreter's own headers: Include/internal/pycore_runtime.h, pycore_interp.h, pycore_gil.h, pycore_frame.h,
 * pycore_dict.h and Include/cpython. What several versions share has a name.
 */
#define THREAD_TO_3_10                                                                                                 \
    {                                                                                                                  \
        .next = 8, .interpreter = 16, .frame = 24, .cframe_frame = LAYOUT_NONE, .id = 176, .native_id = LAYOUT_NONE,   \
        .stack_chunk = LAYOUT_NONE                                                                                     \
    }
#define FRAME_TO_3_9                                                                                                   \
    {                                                                                                                  \
        .size = 112, .code = 32, .previous = 24, .instruction = 104, .is_entry = LAYOUT_NONE, .owner = LAYOUT_NONE,    \
        .instruction_unit = 1                                                                                          \
    }
#define FRAME_FROM_3_12                                                                                                \
    {                                                                                                                  \
        .size = 72, .code = 0, .previous = 8, .instruction = 56, .is_entry = LAYOUT_NONE, .owner = 70,                 \
        .instruction_unit = 0                                                                                          \
    }
#define CODE_TO_3_10                                                                                                   \
    {                                                                                                                  \
        .size = 128, .filename = 104, .name = 112, .qualname = LAYOUT_NONE, .line_table = 120, .first_line = 40,       \
        .version = LAYOUT_NONE, .instructions = LAYOUT_NONE, .first_traceable = LAYOUT_NONE                            \
    }
#define DICT_TO_3_10                                                                                                   \
    {                                                                                                                  \
        .keys = 32, .values = 40, .log2_index_bytes = LAYOUT_NONE, .kind = LAYOUT_NONE, .size = 8, .entry_count = 32,  \
        .indices = 40, .first_value = 0                                                                                \
    }
#define DICT_3_11_AND_3_12                                                                                             \
    {                                                                                                                  \
        .keys = 32, .values = 40, .log2_index_bytes = 9, .kind = 10, .size = LAYOUT_NONE, .entry_count = 24,           \
        .indices = 32, .first_value = 0                                                                                \
    }
#define TEXT_TO_3_11                                                                                                   \
    {                                                                                                                  \
        .length = 16, .hash = 24, .state = 32, .ascii_data = 48, .compact_data = 72                                    \
    }
#define TEXT_FROM_3_12                                                                                                 \
    {                                                                                                                  \
        .length = 16, .hash = 24, .state = 32, .ascii_data = 40, .compact_data = 56                                    \
    }
#define BYTES                                                                                                          \
    {                                                                                                                  \
        .length = 16, .data = 32                                                                                       \
    }
#define OBJECT                                                                                                         \
    {                                                                                                                  \
        .type = 8, .var_size = 16                                                                                      \
    }
#define MODULE                                                                                                         \
    {                                                                                                                  \
        .dict = 16                                                                                                     \
    }
#define INTEGER_TO_3_11                                                                                                \
    {                                                                                                                  \
        .tag = LAYOUT_NONE, .digits = 24                                                                               \
    }
#define INTEGER_FROM_3_12                                                                                              \
    {                                                                                                                  \
        .tag = 16, .digits = 24                                                                                        \
    }
#define GIL                                                                                                            \
    {                                                                                                                  \
        .last_holder = 8, .locked = 16, .switch_number = 24                                                            \
    }

static const struct layout layouts[] = {
    {
        .version = 3 << 8 | 8,
        .line_format = LINES_LNOTAB,
        .entry_format = ENTRY_ALWAYS,
        .attribute_format = ATTRIBUTES_DICT,
        .runtime = {.interpreters_head = 32, .gil = 1152},
        .interpreter = {.next = 0, .threads_head = 8, .modules = 56, .gil_pointer = LAYOUT_NONE},
        .gil = GIL,
        .thread = THREAD_TO_3_10,
        .frame = FRAME_TO_3_9,
        .code = CODE_TO_3_10,
        .text = TEXT_TO_3_11,
        .bytes = BYTES,
        .object = OBJECT,
        .type = {.basic_size = 32, .flags = 168, .dict_offset = 288, .cached_keys = 872},
        .dict = DICT_TO_3_10,
        .integer = INTEGER_TO_3_11,
        .module = MODULE,
    },
    {
        .version = 3 << 8 | 9,
        .line_format = LINES_LNOTAB,
        .entry_format = ENTRY_ALWAYS,
        .attribute_format = ATTRIBUTES_DICT,
        .runtime = {.interpreters_head = 32, .gil = 352},
        .interpreter = {.next = 0, .threads_head = 8, .modules = 856, .gil_pointer = LAYOUT_NONE},
        .gil = GIL,
        .thread = THREAD_TO_3_10,
        .frame = FRAME_TO_3_9,
        .code = CODE_TO_3_10,
        .text = TEXT_TO_3_11,
        .bytes = BYTES,
        .object = OBJECT,
        .type = {.basic_size = 32, .flags = 168, .dict_offset = 288, .cached_keys = 864},
        .dict = DICT_TO_3_10,
        .integer = INTEGER_TO_3_11,
        .module = MODULE,
    },
    {
        .version = 3 << 8 | 10,
        .line_format = LINES_RANGES,
        .entry_format = ENTRY_ALWAYS,
        .attribute_format = ATTRIBUTES_DICT,
        .runtime = {.interpreters_head = 32, .gil = 352},
        .interpreter = {.next = 0, .threads_head = 8, .modules = 856, .gil_pointer = LAYOUT_NONE},
        .gil = GIL,
        .thread = THREAD_TO_3_10,
        .frame = {.size = 104,
                  .code = 32,
                  .previous = 24,
                  .instruction = 96,
                  .is_entry = LAYOUT_NONE,
                  .owner = LAYOUT_NONE,
                  .instruction_unit = 2},
        .code = CODE_TO_3_10,
        .text = TEXT_TO_3_11,
        .bytes = BYTES,
        .object = OBJECT,
        .type = {.basic_size = 32, .flags = 168, .dict_offset = 288, .cached_keys = 872},
        .dict = DICT_TO_3_10,
        .integer = INTEGER_TO_3_11,
        .module = MODULE,
    },
    {
        .version = 3 << 8 | 11,
        .line_format = LINES_LOCATIONS,
        .entry_format = ENTRY_FLAG,
        .attribute_format = ATTRIBUTES_SPLIT_WORDS,
        .runtime = {.interpreters_head = 40, .gil = 360},
        .interpreter = {.next = 0, .threads_head = 16, .modules = 888, .gil_pointer = LAYOUT_NONE},
        .gil = GIL,
        .thread = {.next = 8,
                   .interpreter = 16,
                   .frame = 56,
                   .cframe_frame = 8,
                   .id = 152,
                   .native_id = 160,
                   .stack_chunk = 296},
        .frame = {.size = 72,
                  .code = 32,
                  .previous = 48,
                  .instruction = 56,
                  .is_entry = 68,
                  .owner = 69,
                  .instruction_unit = 0},
        .code = {.size = 192,
                 .filename = 112,
                 .name = 120,
                 .qualname = 128,
                 .line_table = 136,
                 .first_line = 72,
                 .version = LAYOUT_NONE,
                 .instructions = 184,
                 .first_traceable = 168},
        .text = TEXT_TO_3_11,
        .bytes = BYTES,
        .object = OBJECT,
        .type = {.basic_size = 32, .flags = 168, .dict_offset = 288, .cached_keys = 872},
        .dict = DICT_3_11_AND_3_12,
        .integer = INTEGER_TO_3_11,
        .module = MODULE,
    },
    {
        .version = 3 << 8 | 12,
        .line_format = LINES_LOCATIONS,
        .entry_format = ENTRY_SHIM,
        .attribute_format = ATTRIBUTES_TAGGED_WORD,
        .runtime = {.interpreters_head = 40, .gil = LAYOUT_NONE},
        .interpreter = {.next = 0, .threads_head = 72, .modules = 944, .gil_pointer = 384},
        .gil = GIL,
        .thread = {.next = 8,
                   .interpreter = 16,
                   .frame = 56,
                   .cframe_frame = 0,
                   .id = 136,
                   .native_id = 144,
                   .stack_chunk = 232},
        .frame = FRAME_FROM_3_12,
        .code = {.size = 200,
                 .filename = 112,
                 .name = 120,
                 .qualname = 128,
                 .line_table = 136,
                 .first_line = 68,
                 .version = 92,
                 .instructions = 192,
                 .first_traceable = 176},
        .text = TEXT_FROM_3_12,
        .bytes = BYTES,
        .object = OBJECT,
        .type = {.basic_size = 32, .flags = 168, .dict_offset = 288, .cached_keys = 880},
        .dict = DICT_3_11_AND_3_12,
        .integer = INTEGER_FROM_3_12,
        .module = MODULE,
    },
    {
        /* The rest of what debug offsets say for 3.13; they overwrite what both have. */
        .version = 3 << 8 | 13,
        .line_format = LINES_LOCATIONS,
        .entry_format = ENTRY_SHIM,
        .attribute_format = ATTRIBUTES_INLINE_VALUES,
        .runtime = {.interpreters_head = 632, .gil = LAYOUT_NONE},
        .interpreter = {.next = 7264, .threads_head = 7344, .modules = 7656, .gil_pointer = 16},
        .gil = GIL,
        .thread = {.next = 8,
                   .interpreter = 16,
                   .frame = 72,
                   .cframe_frame = LAYOUT_NONE,
                   .id = 152,
                   .native_id = 160,
                   .stack_chunk = 232},
        .frame = FRAME_FROM_3_12,
        .code = {.size = 208,
                 .filename = 112,
                 .name = 120,
                 .qualname = 128,
                 .line_table = 136,
                 .first_line = 68,
                 .version = 92,
                 .instructions = 200,
                 .first_traceable = 184},
        .text = TEXT_FROM_3_12,
        .bytes = BYTES,
        .object = OBJECT,
        .type = {.basic_size = 32, .flags = 168, .dict_offset = 288, .cached_keys = 880},
        .dict = {.keys = 32,
                 .values = 40,
                 .log2_index_bytes = 9,
                 .kind = 10,
                 .size = LAYOUT_NONE,
                 .entry_count = 24,
                 .indices = 32,
                 .first_value = 8},
        .integer = INTEGER_FROM_3_12,
        .module = MODULE,
    },
};

const struct layout *layout_of_version(unsigned major, unsigned minor)
{
    for (size_t i = 0; i < array_size(layouts); i++) {
        if (layouts[i].version == (major << 8 | minor))
            return &layouts[i];
    }
    return NULL;
}

const char *layout_versions(void)
{
    return "3.8 to 3.13";
}

const struct layout *layout_all(uint32_t *ret_count)
{
    *ret_count = array_size(layouts);
    return layouts;
}

static const char cookie[8] = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};

enum {
    /* Positions in the table, the same in all versions that have one. */
    DEBUG_VERSION = 8,
    DEBUG_FREE_THREADED = 16,
    DEBUG_HEAD_LEN = 24,
    /* CPython 3.13: sizeof(_Py_DebugOffsets). */
    DEBUG_LEN_3_13 = 584,
};

bool debug_offsets_read(struct memory *memory, remote_addr runtime, struct debug_offsets *ret)
{
    unsigned char head[DEBUG_HEAD_LEN];
    if (memory_read(memory, runtime, head, sizeof(head)) != MEMORY_OK || memcmp(head, cookie, sizeof(cookie)) != 0)
        return false;
    uint64_t version, free_threaded;
    memcpy(&version, head + DEBUG_VERSION, sizeof(version));
    memcpy(&free_threaded, head + DEBUG_FREE_THREADED, sizeof(free_threaded));
    *ret = (struct debug_offsets){.version = (uint32_t)version, .is_free_threaded = free_threaded != 0};
    return version <= UINT32_MAX;
}

/* Which word of the 3.13 table says which field of a layout. */
static const struct {
    uint16_t position;
    uint16_t field;
} debug_words_3_13[] = {
    {40, offsetof(struct layout, runtime.interpreters_head)},
    {64, offsetof(struct layout, interpreter.next)},
    {72, offsetof(struct layout, interpreter.threads_head)},
    {88, offsetof(struct layout, interpreter.modules)},
    {112, offsetof(struct layout, interpreter.gil_pointer)},
    {168, offsetof(struct layout, thread.next)},
    {176, offsetof(struct layout, thread.interpreter)},
    {184, offsetof(struct layout, thread.frame)},
    {192, offsetof(struct layout, thread.id)},
    {200, offsetof(struct layout, thread.native_id)},
    {208, offsetof(struct layout, thread.stack_chunk)},
    {232, offsetof(struct layout, frame.previous)},
    {240, offsetof(struct layout, frame.code)},
    {248, offsetof(struct layout, frame.instruction)},
    {264, offsetof(struct layout, frame.owner)},
    {280, offsetof(struct layout, code.filename)},
    {288, offsetof(struct layout, code.name)},
    {296, offsetof(struct layout, code.qualname)},
    {304, offsetof(struct layout, code.line_table)},
    {312, offsetof(struct layout, code.first_line)},
    {344, offsetof(struct layout, code.instructions)},
    {360, offsetof(struct layout, object.type)},
    {392, offsetof(struct layout, type.flags)},
    {456, offsetof(struct layout, dict.keys)},
    {464, offsetof(struct layout, dict.values)},
    {496, offsetof(struct layout, integer.tag)},
    {504, offsetof(struct layout, integer.digits)},
    {520, offsetof(struct layout, bytes.length)},
    {528, offsetof(struct layout, bytes.data)},
    {544, offsetof(struct layout, text.state)},
    {552, offsetof(struct layout, text.length)},
    {560, offsetof(struct layout, text.ascii_data)},
};

static bool are_thread_fields_inside(const struct layout *layout)
{
    const uint16_t word = sizeof(uint64_t);
    return layout->thread.next + word <= LAYOUT_THREAD_LEN && layout->thread.interpreter + word <= LAYOUT_THREAD_LEN &&
           layout->thread.id + word <= LAYOUT_THREAD_LEN && layout->thread.native_id + word <= LAYOUT_THREAD_LEN;
}

static bool are_object_fields_inside(const struct layout *layout)
{
    const uint16_t word = sizeof(uint64_t);
    return layout->object.type + word <= layout->code.size && layout->text.ascii_data <= LAYOUT_TEXT_LEN &&
           layout->text.length + word <= layout->text.ascii_data &&
           layout->text.state + sizeof(uint32_t) <= layout->text.ascii_data &&
           layout->dict.keys + word <= LAYOUT_DICT_LEN && layout->dict.keys < layout->dict.values &&
           layout->dict.values + word <= LAYOUT_DICT_LEN;
}

/* What is read of a struct must hold every field that is looked at in it. */
static bool is_inside_what_is_read(const struct layout *layout)
{
    const uint16_t word = sizeof(uint64_t);
    return are_thread_fields_inside(layout) && are_object_fields_inside(layout) &&
           layout->frame.previous + word <= layout->frame.size && layout->frame.code + word <= layout->frame.size &&
           layout->frame.instruction + word <= layout->frame.size && layout->frame.owner < layout->frame.size &&
           layout->code.filename + word <= layout->code.size && layout->code.name + word <= layout->code.size &&
           layout->code.qualname + word <= layout->code.size && layout->code.line_table + word <= layout->code.size &&
           layout->code.first_line + sizeof(uint32_t) <= layout->code.size;
}

struct error *layout_apply_debug_offsets(struct layout *layout, struct memory *memory, remote_addr runtime)
{
    unsigned char table[DEBUG_LEN_3_13];
    if (memory_read(memory, runtime, table, sizeof(table)) != MEMORY_OK)
        return error_create(ERROR_BAD_DATA, "cannot read the interpreter's debug offsets");
    for (size_t i = 0; i < array_size(debug_words_3_13); i++) {
        uint64_t value;
        memcpy(&value, table + debug_words_3_13[i].position, sizeof(value));
        if (value >= LAYOUT_NONE)
            return error_create(ERROR_BAD_DATA, "the interpreter's debug offset at %u is out of range: %" PRIu64,
                                debug_words_3_13[i].position, value);
        uint16_t offset = (uint16_t)value;
        memcpy((char *)layout + debug_words_3_13[i].field, &offset, sizeof(offset));
    }
    if (!is_inside_what_is_read(layout))
        return error_create(ERROR_BAD_DATA, "the interpreter's debug offsets contradict themselves");
    return NULL;
}
