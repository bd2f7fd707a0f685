/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include "base/cleanup.h"

#include <stddef.h>

/*
 * Offsets of CPython 2.7.18, 3.6.15, 3.7.16, 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1, 3.13.0, 3.14.8 and 3.15.0 on
 * x86-64. tests/layouts compares each with the interpreter's own headers: Include/internal/pycore_runtime.h,
 * pycore_interp.h, pycore_gil.h, pycore_frame.h, pycore_dict.h and Include/cpython. What several versions share has a
 * name. `head` is the length of an object's head: 16 bytes, or 32 in free-threaded builds.
 */
#define NO_GIL_STRUCT                                                                                                  \
    {                                                                                                                  \
        .enabled = LAYOUT_NONE, .last_holder = LAYOUT_NONE, .locked = LAYOUT_NONE, .switch_number = LAYOUT_NONE,       \
        .condition = LAYOUT_NONE                                                                                       \
    }
#define GIL                                                                                                            \
    {                                                                                                                  \
        .enabled = LAYOUT_NONE, .last_holder = 8, .locked = 16, .switch_number = 24, .condition = 32                   \
    }
#define GIL_WITH_SWITCH                                                                                                \
    {                                                                                                                  \
        .enabled = 0, .last_holder = 16, .locked = 24, .switch_number = 32, .condition = 40                            \
    }
#define THREAD_TO_3_10(first, id_offset, cframe_offset)                                                                \
    {                                                                                                                  \
        .next = (first), .interpreter = (first) + 8, .frame = (first) + 16, .cframe = (cframe_offset),                 \
        .cframe_frame = LAYOUT_NONE, .cframe_previous = (cframe_offset) != LAYOUT_NONE ? 8 : LAYOUT_NONE,              \
        .id = (id_offset), .native_id = LAYOUT_NONE, .state = LAYOUT_NONE, .stack_chunk = LAYOUT_NONE                  \
    }
#define THREAD_FROM_3_13(id_offset, state_offset, chunk)                                                               \
    {                                                                                                                  \
        .next = 8, .interpreter = 16, .frame = 72, .cframe = LAYOUT_NONE, .cframe_frame = LAYOUT_NONE,                 \
        .cframe_previous = LAYOUT_NONE, .id = (id_offset), .native_id = (id_offset) + 8, .state = (state_offset),      \
        .stack_chunk = (chunk)                                                                                         \
    }
#define FRAME_TO_3_10(lasti, unit)                                                                                     \
    {                                                                                                                  \
        .size = (lasti) + 8, .code = 32, .previous = 24, .instruction = (lasti), .is_entry = LAYOUT_NONE,              \
        .owner = LAYOUT_NONE, .tlbc_index = LAYOUT_NONE, .instruction_unit = (unit), .code_tag = 0                     \
    }
#define FRAME_3_12_AND_3_13                                                                                            \
    {                                                                                                                  \
        .size = 72, .code = 0, .previous = 8, .instruction = 56, .is_entry = LAYOUT_NONE, .owner = 70,                 \
        .tlbc_index = LAYOUT_NONE, .instruction_unit = 0, .code_tag = 0                                                \
    }
#define FRAME_FROM_3_14(owner_offset, tlbc)                                                                            \
    {                                                                                                                  \
        .size = 80, .code = 0, .previous = 8, .instruction = 56, .is_entry = LAYOUT_NONE, .owner = (owner_offset),     \
        .tlbc_index = (tlbc), .instruction_unit = 0, .code_tag = 3                                                     \
    }
#define CODE_TO_3_10(filename_offset, table, line)                                                                     \
    {                                                                                                                  \
        .size = 128, .filename = (filename_offset), .name = (filename_offset) + 8, .qualname = LAYOUT_NONE,            \
        .line_table = (table), .first_line = (line), .version = LAYOUT_NONE, .instructions = LAYOUT_NONE,              \
        .first_traceable = LAYOUT_NONE, .tlbc = LAYOUT_NONE                                                            \
    }
#define CODE_FROM_3_12(head, traceable, begin, copies)                                                                 \
    {                                                                                                                  \
        .size = (begin), .filename = (head) + 96, .name = (head) + 104, .qualname = (head) + 112,                      \
        .line_table = (head) + 120, .first_line = (head) + 52, .version = (head) + 76, .instructions = (begin),        \
        .first_traceable = (traceable), .tlbc = (copies)                                                               \
    }
#define TEXT_TO_3_11                                                                                                   \
    {                                                                                                                  \
        .length = 16, .hash = 24, .state = 32, .ascii_data = 48, .compact_data = 72, .kind_shift = 2                   \
    }
#define TEXT_FROM_3_12(head, shift)                                                                                    \
    {                                                                                                                  \
        .length = (head), .hash = (head) + 8, .state = (head) + 16, .ascii_data = (head) + 24,                         \
        .compact_data = (head) + 40, .kind_shift = (shift)                                                             \
    }
#define TYPE(head, keys)                                                                                               \
    {                                                                                                                  \
        .name = (head) + 8, .basic_size = (head) + 16, .item_size = (head) + 24, .repr = (head) + 72,                  \
        .flags = (head) + 152, .members = (head) + 224, .base = (head) + 240, .dict = (head) + 248,                    \
        .dict_offset = (head) + 272, .mro = (head) + 328, .cached_keys = (keys),                                       \
        .qualname = (keys) == LAYOUT_NONE ? LAYOUT_NONE : (keys)-8, .managed_dict = (head) == 16 ? 24 : 8              \
    }
#define DICT_TO_3_10                                                                                                   \
    {                                                                                                                  \
        .mask = LAYOUT_NONE, .table = LAYOUT_NONE, .keys = 32, .values = 40, .log2_index_bytes = LAYOUT_NONE,          \
        .kind = LAYOUT_NONE, .size = 8, .entry_count = 32, .indices = 40, .first_value = 0                             \
    }
#define DICT_FROM_3_11(head, value)                                                                                    \
    {                                                                                                                  \
        .mask = LAYOUT_NONE, .table = LAYOUT_NONE, .keys = (head) + 16, .values = (head) + 24, .log2_index_bytes = 9,  \
        .kind = 10, .size = LAYOUT_NONE, .entry_count = 24, .indices = 32, .first_value = (value)                      \
    }
#define INTEGER_TO_3_11                                                                                                \
    {                                                                                                                  \
        .tag = LAYOUT_NONE, .digits = 24                                                                               \
    }
#define INTEGER_FROM_3_12(head)                                                                                        \
    {                                                                                                                  \
        .tag = (head), .digits = (head) + 8                                                                            \
    }
#define LOCALS_TO_3_10(first_local, kwonly, count, varnames)                                                           \
    {                                                                                                                  \
        .first = (first_local), .arg_count = 16, .kwonly_count = (kwonly), .flags = (count) + 8, .names = (varnames),  \
        .kinds = LAYOUT_NONE, .local_count = (count), .cellvars = (varnames) + 16, .freevars = (varnames) + 8,         \
        .tag = 0                                                                                                       \
    }
#define LOCALS_FROM_3_12(head, first_local, tag_bits)                                                                  \
    {                                                                                                                  \
        .first = (first_local), .arg_count = (head) + 36, .kwonly_count = (head) + 44, .flags = (head) + 32,           \
        .names = (head) + 80, .kinds = (head) + 88, .local_count = LAYOUT_NONE, .cellvars = LAYOUT_NONE,               \
        .freevars = LAYOUT_NONE, .tag = (tag_bits)                                                                     \
    }
#define FUNCTION(func_code, func_qualname)                                                                             \
    {                                                                                                                  \
        .code = (func_code), .qualname = (func_qualname), .name = (func_qualname)                                      \
    }
/* What hardly changed. hash: bytes between a tuple's head and its items. */
#define CONTAINERS(head, hash)                                                                                         \
    .bytes = {.length = (head), .data = (head) + 16}, .object = {.type = (head)-8, .var_size = (head)},                \
    .tuple = {.items = (head) + 8 + (hash)}, .list = {.items = (head) + 8},                                            \
    .set = {.mask = (head) + 16, .table = (head) + 24, .key = 0}, .byte_array = {.start = (head) + 24},                \
    .cell = {.value = (head)}, .module = {.dict = (head)}

/* What versions 3.6 to 3.10 have in common; what differs follows it in the row. */
#define COMMON_3_6_TO_3_10                                                                                             \
    .entry_format = ENTRY_ALWAYS, .attribute_format = ATTRIBUTES_DICT, .container_format = CONTAINERS_3,               \
    .thread_name = "_name", .text = TEXT_TO_3_11, .dict = DICT_TO_3_10, .integer = INTEGER_TO_3_11, CONTAINERS(16, 0)

/* From 3.13 on, debug offsets overwrite what they and the rows both have. */
#define COMMON_FROM_3_13(head, hash, first_local, tag_bits)                                                            \
    .line_format = LINES_LOCATIONS, .entry_format = ENTRY_SHIM, .attribute_format = ATTRIBUTES_INLINE_VALUES,          \
    .container_format = CONTAINERS_3, .thread_name = "_name", .dict = DICT_FROM_3_11(head, 8),                         \
    .integer = INTEGER_FROM_3_12(head), .locals = LOCALS_FROM_3_12(head, first_local, tag_bits),                       \
    .function = FUNCTION((head) + 32, (head) + 24), .generator = {.name = (head) + 16}, CONTAINERS(head, hash)
#define WITH_GIL      .is_free_threaded = false, .gil_format = GIL_OF_INTERPRETER, .gil = GIL
#define FREE_THREADED .is_free_threaded = true, .gil_format = GIL_OPTIONAL, .gil = GIL_WITH_SWITCH
#define STATE_3_13(dicts)                                                                                              \
    .version = 3 << 8 | 13, .repr_format = REPR_3_12, .runtime = {.interpreters_head = 632, .gil = LAYOUT_NONE},       \
    .interpreter = {.next = 7264,                                                                                      \
                    .threads_head = 7344,                                                                              \
                    .modules = (dicts) + 16,                                                                           \
                    .sysdict = (dicts),                                                                                \
                    .builtins = (dicts) + 8,                                                                           \
                    .id = 7272,                                                                                        \
                    .gil_pointer = 16,                                                                                 \
                    .collecting = 7600,                                                                                \
                    .collecting_frame = LAYOUT_NONE},                                                                  \
    .thread = THREAD_FROM_3_13(152, 40, 232), .frame = FRAME_3_12_AND_3_13, .parks_threads = true
#define STATE_3_14(dicts)                                                                                              \
    .version = 3 << 8 | 14, .repr_format = REPR_3_12, .runtime = {.interpreters_head = 808, .gil = LAYOUT_NONE},       \
    .interpreter = {.next = 7272,                                                                                      \
                    .threads_head = 7344,                                                                              \
                    .modules = (dicts) + 16,                                                                           \
                    .sysdict = (dicts),                                                                                \
                    .builtins = (dicts) + 8,                                                                           \
                    .id = 7280,                                                                                        \
                    .gil_pointer = 16,                                                                                 \
                    .collecting = 7600,                                                                                \
                    .collecting_frame = LAYOUT_NONE},                                                                  \
    .thread = THREAD_FROM_3_13(152, 44, 232), .parks_threads = true
#define STATE_3_15(dicts)                                                                                              \
    .version = 3 << 8 | 15, .repr_format = REPR_3_15, .runtime = {.interpreters_head = 936, .gil = LAYOUT_NONE},       \
    .interpreter = {.next = 7264,                                                                                      \
                    .threads_head = 7336,                                                                              \
                    .modules = (dicts) + 16,                                                                           \
                    .sysdict = (dicts),                                                                                \
                    .builtins = (dicts) + 8,                                                                           \
                    .id = 7272,                                                                                        \
                    .gil_pointer = 16,                                                                                 \
                    .collecting = 7512,                                                                                \
                    .collecting_frame = 7520},                                                                         \
    .thread = THREAD_FROM_3_13(176, 48, 256), .parks_threads = true

static const struct layout layouts[] = {
    {
        .version = 2 << 8 | 7,
        .line_format = LINES_LNOTAB_UNSIGNED,
        .gil_format = GIL_CURRENT_THREAD,
        .entry_format = ENTRY_ALWAYS,
        .attribute_format = ATTRIBUTES_DICT,
        .container_format = CONTAINERS_2,
        .repr_format = REPR_2,
        .thread_name = "_Thread__name",
        .runtime = {.interpreters_head = 0, .gil = LAYOUT_NONE},
        .interpreter = {.next = 0,
                        .threads_head = 8,
                        .modules = 16,
                        .sysdict = 24,
                        .builtins = 32,
                        .id = LAYOUT_NONE,
                        .gil_pointer = LAYOUT_NONE,
                        .collecting = LAYOUT_NONE,
                        .collecting_frame = LAYOUT_NONE},
        .gil = NO_GIL_STRUCT,
        .thread = THREAD_TO_3_10(0, 144, LAYOUT_NONE),
        .frame = FRAME_TO_3_10(120, 1),
        .code = CODE_TO_3_10(80, 104, 96),
        .text = {.length = 16, .hash = 24, .state = LAYOUT_NONE, .ascii_data = LAYOUT_NONE, .compact_data = 24},
        .type = TYPE(16, LAYOUT_NONE),
        .dict = {.mask = 32,
                 .table = 40,
                 .keys = LAYOUT_NONE,
                 .values = LAYOUT_NONE,
                 .log2_index_bytes = LAYOUT_NONE,
                 .kind = LAYOUT_NONE,
                 .size = LAYOUT_NONE,
                 .entry_count = LAYOUT_NONE,
                 .indices = LAYOUT_NONE,
                 .first_value = LAYOUT_NONE},
        .integer = {.tag = LAYOUT_NONE, .digits = 16},
        .locals = LOCALS_TO_3_10(376, LAYOUT_NONE, 20, 56),
        .function = {.code = 16, .qualname = LAYOUT_NONE, .name = 56},
        .generator = {.name = LAYOUT_NONE},
        .bytes = {.length = 16, .data = 36},
        .object = {.type = 8, .var_size = 16},
        .tuple = {.items = 24},
        .list = {.items = 24},
        .set = {.mask = 32, .table = 40, .key = 8},
        .byte_array = {.start = 40},
        .cell = {.value = 16},
        .module = {.dict = 16},
    },
    {
        COMMON_3_6_TO_3_10,
        .version = 3 << 8 | 6,
        .repr_format = REPR_3,
        .line_format = LINES_LNOTAB,
        .gil_format = GIL_CURRENT_THREAD,
        .runtime = {.interpreters_head = 0, .gil = LAYOUT_NONE},
        .interpreter = {.next = 0,
                        .threads_head = 8,
                        .modules = 16,
                        .sysdict = 32,
                        .builtins = 40,
                        .id = LAYOUT_NONE,
                        .gil_pointer = LAYOUT_NONE,
                        .collecting = LAYOUT_NONE,
                        .collecting_frame = LAYOUT_NONE},
        .gil = NO_GIL_STRUCT,
        .thread = THREAD_TO_3_10(8, 152, LAYOUT_NONE),
        .frame = FRAME_TO_3_10(120, 1),
        .code = CODE_TO_3_10(96, 112, 36),
        .type = TYPE(16, 856),
        .locals = LOCALS_TO_3_10(376, 20, 24, 64),
        .function = FUNCTION(16, 104),
        .generator = {.name = 56},
    },
    {
        COMMON_3_6_TO_3_10,
        .version = 3 << 8 | 7,
        .repr_format = REPR_3_7,
        .line_format = LINES_LNOTAB,
        .gil_format = GIL_OF_RUNTIME,
        .runtime = {.interpreters_head = 24, .gil = 1264},
        .interpreter = {.next = 0,
                        .threads_head = 8,
                        .modules = 40,
                        .sysdict = 56,
                        .builtins = 64,
                        .id = 16,
                        .gil_pointer = LAYOUT_NONE,
                        .collecting = LAYOUT_NONE,
                        .collecting_frame = LAYOUT_NONE},
        .gil = GIL,
        .thread = THREAD_TO_3_10(8, 176, LAYOUT_NONE),
        .frame = FRAME_TO_3_10(104, 1),
        .code = CODE_TO_3_10(96, 112, 36),
        .type = TYPE(16, 856),
        .locals = LOCALS_TO_3_10(360, 20, 24, 64),
        .function = FUNCTION(16, 104),
        .generator = {.name = 56},
    },
    {
        COMMON_3_6_TO_3_10,
        .version = 3 << 8 | 8,
        .repr_format = REPR_3_7,
        .line_format = LINES_LNOTAB,
        .gil_format = GIL_OF_RUNTIME,
        .runtime = {.interpreters_head = 32, .gil = 1152},
        .interpreter = {.next = 0,
                        .threads_head = 8,
                        .modules = 56,
                        .sysdict = 72,
                        .builtins = 80,
                        .id = 16,
                        .gil_pointer = LAYOUT_NONE,
                        .collecting = LAYOUT_NONE,
                        .collecting_frame = LAYOUT_NONE},
        .gil = GIL,
        .thread = THREAD_TO_3_10(8, 176, LAYOUT_NONE),
        .frame = FRAME_TO_3_10(104, 1),
        .code = CODE_TO_3_10(104, 120, 40),
        .type = TYPE(16, 872),
        .locals = LOCALS_TO_3_10(360, 24, 28, 72),
        .function = FUNCTION(16, 104),
        .generator = {.name = 56},
    },
    {
        COMMON_3_6_TO_3_10,
        .version = 3 << 8 | 9,
        .repr_format = REPR_3_7,
        .line_format = LINES_LNOTAB,
        .gil_format = GIL_OF_RUNTIME,
        .runtime = {.interpreters_head = 32, .gil = 352},
        .interpreter = {.next = 0,
                        .threads_head = 8,
                        .modules = 856,
                        .sysdict = 872,
                        .builtins = 880,
                        .id = 24,
                        .gil_pointer = LAYOUT_NONE,
                        .collecting = 816,
                        .collecting_frame = LAYOUT_NONE},
        .gil = GIL,
        .thread = THREAD_TO_3_10(8, 176, LAYOUT_NONE),
        .frame = FRAME_TO_3_10(104, 1),
        .code = CODE_TO_3_10(104, 120, 40),
        .type = TYPE(16, 864),
        .locals = LOCALS_TO_3_10(360, 24, 28, 72),
        .function = FUNCTION(16, 104),
        .generator = {.name = 56},
    },
    {
        COMMON_3_6_TO_3_10,
        .version = 3 << 8 | 10,
        .repr_format = REPR_3_7,
        .line_format = LINES_RANGES,
        .gil_format = GIL_OF_RUNTIME,
        .runtime = {.interpreters_head = 32, .gil = 352},
        .interpreter = {.next = 0,
                        .threads_head = 8,
                        .modules = 856,
                        .sysdict = 872,
                        .builtins = 880,
                        .id = 24,
                        .gil_pointer = LAYOUT_NONE,
                        .collecting = 816,
                        .collecting_frame = LAYOUT_NONE},
        .gil = GIL,
        .thread = THREAD_TO_3_10(8, 176, 48),
        .frame = FRAME_TO_3_10(96, 2),
        .code = CODE_TO_3_10(104, 120, 40),
        .type = TYPE(16, 872),
        .locals = LOCALS_TO_3_10(352, 24, 28, 72),
        .function = FUNCTION(48, 40),
        .generator = {.name = 48},
    },
    {
        .version = 3 << 8 | 11,
        .repr_format = REPR_3_7,
        .line_format = LINES_LOCATIONS,
        .gil_format = GIL_OF_RUNTIME,
        .entry_format = ENTRY_FLAG,
        .attribute_format = ATTRIBUTES_SPLIT_WORDS,
        .container_format = CONTAINERS_3,
        .thread_name = "_name",
        .runtime = {.interpreters_head = 40, .gil = 360},
        .interpreter = {.next = 0,
                        .threads_head = 16,
                        .modules = 888,
                        .sysdict = 904,
                        .builtins = 912,
                        .id = 48,
                        .gil_pointer = LAYOUT_NONE,
                        .collecting = 848,
                        .collecting_frame = LAYOUT_NONE},
        .gil = GIL,
        .thread = {.next = 8,
                   .interpreter = 16,
                   .frame = 56,
                   .cframe = 56,
                   .cframe_frame = 8,
                   .cframe_previous = 16,
                   .id = 152,
                   .native_id = 160,
                   .state = LAYOUT_NONE,
                   .stack_chunk = 296},
        .frame = {.size = 72,
                  .code = 32,
                  .previous = 48,
                  .instruction = 56,
                  .is_entry = 68,
                  .owner = 69,
                  .tlbc_index = LAYOUT_NONE,
                  .instruction_unit = 0,
                  .code_tag = 0},
        .code = {.size = 192,
                 .filename = 112,
                 .name = 120,
                 .qualname = 128,
                 .line_table = 136,
                 .first_line = 72,
                 .version = LAYOUT_NONE,
                 .instructions = 184,
                 .first_traceable = 168,
                 .tlbc = LAYOUT_NONE},
        .text = TEXT_TO_3_11,
        .type = TYPE(16, 872),
        .dict = DICT_FROM_3_11(16, 0),
        .integer = INTEGER_TO_3_11,
        .locals = {.first = 72,
                   .arg_count = 56,
                   .kwonly_count = 64,
                   .flags = 48,
                   .names = 96,
                   .kinds = 104,
                   .local_count = LAYOUT_NONE,
                   .cellvars = LAYOUT_NONE,
                   .freevars = LAYOUT_NONE,
                   .tag = 0},
        .function = FUNCTION(48, 40),
        .generator = {.name = 40},
        CONTAINERS(16, 0),
    },
    {
        .version = 3 << 8 | 12,
        .repr_format = REPR_3_12,
        .line_format = LINES_LOCATIONS,
        .gil_format = GIL_OF_INTERPRETER,
        .entry_format = ENTRY_SHIM,
        .attribute_format = ATTRIBUTES_TAGGED_WORD,
        .container_format = CONTAINERS_3,
        .thread_name = "_name",
        .runtime = {.interpreters_head = 40, .gil = LAYOUT_NONE},
        .interpreter = {.next = 0,
                        .threads_head = 72,
                        .modules = 944,
                        .sysdict = 352,
                        .builtins = 360,
                        .id = 8,
                        .gil_pointer = 384,
                        .collecting = 312,
                        .collecting_frame = LAYOUT_NONE},
        .gil = GIL,
        .thread = {.next = 8,
                   .interpreter = 16,
                   .frame = 56,
                   .cframe = 56,
                   .cframe_frame = 0,
                   .cframe_previous = 8,
                   .id = 136,
                   .native_id = 144,
                   .state = LAYOUT_NONE,
                   .stack_chunk = 232},
        .frame = FRAME_3_12_AND_3_13,
        .code = CODE_FROM_3_12(16, 176, 192, LAYOUT_NONE),
        .text = TEXT_FROM_3_12(16, 2),
        .type = TYPE(16, 880),
        .dict = DICT_FROM_3_11(16, 0),
        .integer = INTEGER_FROM_3_12(16),
        .locals = LOCALS_FROM_3_12(16, 72, 0),
        .function = FUNCTION(48, 40),
        .generator = {.name = 32},
        CONTAINERS(16, 0),
    },
    {
        WITH_GIL,
        COMMON_FROM_3_13(16, 0, 72, 0),
        STATE_3_13(7640),
        .code = CODE_FROM_3_12(16, 184, 200, LAYOUT_NONE),
        .text = TEXT_FROM_3_12(16, 2),
        .type = TYPE(16, 880),
    },
    {
        FREE_THREADED,
        COMMON_FROM_3_13(32, 0, 72, 0),
        STATE_3_13(7648),
        .code = CODE_FROM_3_12(32, 200, 216, LAYOUT_NONE),
        .text = TEXT_FROM_3_12(32, 2),
        .type = TYPE(32, 896),
    },
    {
        WITH_GIL,
        COMMON_FROM_3_13(16, 8, 80, 3),
        STATE_3_14(7672),
        .frame = FRAME_FROM_3_14(74, LAYOUT_NONE),
        .code = CODE_FROM_3_12(16, 192, 208, LAYOUT_NONE),
        .text = TEXT_FROM_3_12(16, 2),
        .type = TYPE(16, 880),
    },
    {
        FREE_THREADED,
        COMMON_FROM_3_13(32, 8, 80, 3),
        STATE_3_14(7696),
        .frame = FRAME_FROM_3_14(78, 72),
        .code = CODE_FROM_3_12(32, 208, 232, 224),
        .text = TEXT_FROM_3_12(32, 8),
        .type = TYPE(32, 896),
    },
    {
        WITH_GIL,
        COMMON_FROM_3_13(16, 8, 80, 3),
        STATE_3_15(7576),
        .frame = FRAME_FROM_3_14(74, LAYOUT_NONE),
        .code = CODE_FROM_3_12(16, 192, 208, LAYOUT_NONE),
        .text = TEXT_FROM_3_12(16, 2),
        .type = TYPE(16, 888),
    },
    {
        FREE_THREADED,
        COMMON_FROM_3_13(32, 8, 80, 3),
        STATE_3_15(7576),
        .frame = FRAME_FROM_3_14(78, 72),
        .code = CODE_FROM_3_12(32, 208, 232, 224),
        .text = TEXT_FROM_3_12(32, 8),
        .type = TYPE(32, 904),
    },
};

const struct layout *layout_of_version(unsigned major, unsigned minor, bool is_free_threaded)
{
    for (size_t i = 0; i < array_size(layouts); i++) {
        bool is_wanted = layouts[i].version >> 8U == major && (layouts[i].version & UINT8_MAX) == minor;
        if (is_wanted && layouts[i].is_free_threaded == is_free_threaded)
            return &layouts[i];
    }
    return NULL;
}

void layout_adjust_to_patch(struct layout *layout, int micro)
{
    /* Up to 3.7.3, what lies behind the garbage collector's part of _PyRuntime lies lower: Include/internal/mem.h. */
    bool is_early_3_7 = layout->version == (3 << 8 | 7) && micro >= 0 && micro <= 3;
    if (is_early_3_7)
        layout->runtime.gil -= 88;
}

const char *layout_versions(void)
{
    return "2.7, 3.6 to 3.15, and free-threaded 3.13 to 3.15";
}

const struct layout *layout_all(uint32_t *ret_count)
{
    *ret_count = array_size(layouts);
    return layouts;
}
