/* SPDX-License-Identifier: MIT */
#include "python_debug_table.h"

#include <assert.h>
#include <string.h>

enum { SHAPE_COUNT = 3, KIND_COUNT = 2 * SHAPE_COUNT };

/* CPython Include/patchlevel.h: PY_VERSION_HEX; and the size of the table. */
static const struct {
    uint32_t version;
    unsigned shape; /* 0 to 2: of 3.13, 3.14, 3.15 */
    bool is_free_threaded;
} builds[DEBUG_TABLE_BUILD_COUNT] = {
    [DEBUG_TABLE_3_13_0] = {0x030d00f0, 0, false}, [DEBUG_TABLE_3_13_5T] = {0x030d05f0, 0, true},
    [DEBUG_TABLE_3_14_4] = {0x030e04f0, 1, false}, [DEBUG_TABLE_3_14_4T] = {0x030e04f0, 1, true},
    [DEBUG_TABLE_3_14_8] = {0x030e08f0, 1, false}, [DEBUG_TABLE_3_15_0] = {0x030f00f0, 2, false},
    [DEBUG_TABLE_3_15_0T] = {0x030f00f0, 2, true},
};

static const size_t lens[SHAPE_COUNT] = {584, 760, 888};

/*
 * Words of CPython 3.13 Include/internal/pycore_runtime.h, 3.14 and 3.15 Include/internal/pycore_debug_offsets.h:
 * struct _Py_DebugOffsets; those that a reader of stacks can want. Where each stands in the tables of 3.13, 3.14
 * and 3.15 (0: it does not), and what it says in 3.13.0, 3.13.5t, 3.14.8, 3.14.4t, 3.15.0 and 3.15.0t (0: there is no
 * such field).
 */
static const struct word {
    const char *name;
    uint16_t positions[SHAPE_COUNT];
    uint32_t values[KIND_COUNT];
} words[] = {
    {"version", {8, 8, 8}, {0}},
    {"free_threaded", {16, 16, 16}, {0, 1, 0, 1, 0, 1}},
    {"runtime_state.size", {24, 24, 24}, {283320, 328320, 316616, 362368, 346568, 406016}},
    {"runtime_state.finalizing", {32, 32, 32}, {608, 608, 784, 784, 912, 912}},
    {"runtime_state.interpreters_head", {40, 40, 40}, {632, 632, 808, 808, 936, 936}},
    {"interpreter_state.size", {48, 48, 48}, {194968, 215616, 225864, 246720, 226240, 247040}},
    {"interpreter_state.id", {56, 56, 56}, {7272, 7272, 7280, 7280, 7272, 7272}},
    {"interpreter_state.next", {64, 64, 64}, {7264, 7264, 7272, 7272, 7264, 7264}},
    {"interpreter_state.threads_head", {72, 72, 72}, {7344, 7344, 7344, 7344, 7336, 7336}},
    {"interpreter_state.threads_main", {0, 80, 80}, {7352, 7352, 7360, 7360, 7352, 7352}},
    {"interpreter_state.gc", {80, 88, 88}, {7400, 7400, 7408, 7408, 7400, 7400}},
    {"interpreter_state.imports_modules", {88, 96, 96}, {7656, 7664, 7688, 7712, 7592, 7592}},
    {"interpreter_state.sysdict", {96, 104, 104}, {7640, 7648, 7672, 7696, 7576, 7576}},
    {"interpreter_state.builtins", {104, 112, 112}, {7648, 7656, 7680, 7704, 7584, 7584}},
    {"interpreter_state.ceval_gil", {112, 120, 120}, {16, 16, 16, 16, 16, 16}},
    {"interpreter_state.gil_runtime_state", {120, 128, 128}, {7752, 7760, 7784, 7808, 7736, 7736}},
    {"interpreter_state.gil_runtime_state_locked", {136, 144, 144}, {7768, 7784, 7800, 7832, 7752, 7760}},
    {"interpreter_state.gil_runtime_state_holder", {144, 152, 152}, {7760, 7776, 7792, 7824, 7744, 7752}},
    {"thread_state.size", {152, 176, 176}, {304, 304, 832, 832, 888, 888}},
    {"thread_state.prev", {160, 184, 184}, {0, 0, 0, 0, 0, 0}},
    {"thread_state.next", {168, 192, 192}, {8, 8, 8, 8, 8, 8}},
    {"thread_state.interp", {176, 200, 200}, {16, 16, 16, 16, 16, 16}},
    {"thread_state.current_frame", {184, 208, 208}, {72, 72, 72, 72, 72, 72}},
    {"thread_state.base_frame", {0, 0, 216}, {0, 0, 0, 0, 80, 80}},
    {"thread_state.thread_id", {192, 216, 240}, {152, 152, 152, 152, 176, 176}},
    {"thread_state.native_thread_id", {200, 224, 248}, {160, 160, 160, 160, 184, 184}},
    {"thread_state.datastack_chunk", {208, 232, 256}, {232, 232, 232, 232, 256, 256}},
    {"thread_state.status", {216, 240, 264}, {32, 32, 32, 32, 32, 32}},
    {"interpreter_frame.size", {224, 248, 312}, {80, 80, 88, 88, 88, 88}},
    {"interpreter_frame.previous", {232, 256, 320}, {8, 8, 8, 8, 8, 8}},
    {"interpreter_frame.executable", {240, 264, 328}, {0, 0, 0, 0, 0, 0}},
    {"interpreter_frame.instr_ptr", {248, 272, 336}, {56, 56, 56, 56, 56, 56}},
    {"interpreter_frame.localsplus", {256, 280, 344}, {72, 72, 80, 80, 80, 80}},
    {"interpreter_frame.owner", {264, 288, 352}, {70, 70, 74, 78, 74, 78}},
    {"interpreter_frame.stackpointer", {0, 296, 360}, {64, 64, 64, 64, 64, 64}},
    {"interpreter_frame.tlbc_index", {0, 304, 368}, {0, 0, 0, 72, 0, 72}},
    {"code_object.size", {272, 312, 376}, {208, 224, 216, 240, 216, 240}},
    {"code_object.filename", {280, 320, 384}, {112, 128, 112, 128, 112, 128}},
    {"code_object.name", {288, 328, 392}, {120, 136, 120, 136, 120, 136}},
    {"code_object.qualname", {296, 336, 400}, {128, 144, 128, 144, 128, 144}},
    {"code_object.linetable", {304, 344, 408}, {136, 152, 136, 152, 136, 152}},
    {"code_object.firstlineno", {312, 352, 416}, {68, 84, 68, 84, 68, 84}},
    {"code_object.argcount", {320, 360, 424}, {52, 68, 52, 68, 52, 68}},
    {"code_object.localsplusnames", {328, 368, 432}, {96, 112, 96, 112, 96, 112}},
    {"code_object.localspluskinds", {336, 376, 440}, {104, 120, 104, 120, 104, 120}},
    {"code_object.co_code_adaptive", {344, 384, 448}, {200, 216, 208, 232, 208, 232}},
    {"code_object.co_tlbc", {0, 392, 456}, {0, 0, 0, 224, 0, 224}},
    {"pyobject.size", {352, 400, 464}, {16, 32, 16, 32, 16, 32}},
    {"pyobject.ob_type", {360, 408, 472}, {8, 24, 8, 24, 8, 24}},
    {"type_object.tp_name", {376, 424, 488}, {24, 40, 24, 40, 24, 40}},
    {"type_object.tp_repr", {384, 432, 496}, {88, 104, 88, 104, 88, 104}},
    {"type_object.tp_flags", {392, 440, 504}, {168, 184, 168, 184, 168, 184}},
    {"type_object.tp_basicsize", {0, 0, 512}, {32, 48, 32, 48, 32, 48}},
    {"type_object.tp_dictoffset", {0, 0, 520}, {288, 304, 288, 304, 288, 304}},
    {"heap_type_object.ht_cached_keys", {0, 0, 536}, {880, 896, 880, 896, 888, 904}},
    {"tuple_object.ob_item", {408, 456, 552}, {24, 40, 32, 48, 32, 48}},
    {"list_object.ob_item", {432, 480, 576}, {24, 40, 24, 40, 24, 40}},
    {"set_object.table", {0, 512, 608}, {40, 56, 40, 56, 40, 56}},
    {"set_object.mask", {0, 520, 616}, {32, 48, 32, 48, 32, 48}},
    {"dict_object.ma_keys", {456, 536, 632}, {32, 48, 32, 48, 32, 48}},
    {"dict_object.ma_values", {464, 544, 640}, {40, 56, 40, 56, 40, 56}},
    {"float_object.ob_fval", {480, 560, 656}, {16, 32, 16, 32, 16, 32}},
    {"long_object.lv_tag", {496, 576, 672}, {16, 32, 16, 32, 16, 32}},
    {"long_object.ob_digit", {504, 584, 680}, {24, 40, 24, 40, 24, 40}},
    {"bytes_object.ob_size", {520, 600, 696}, {16, 32, 16, 32, 16, 32}},
    {"bytes_object.ob_sval", {528, 608, 704}, {32, 48, 32, 48, 32, 48}},
    {"unicode_object.state", {544, 624, 720}, {32, 48, 32, 48, 32, 48}},
    {"unicode_object.length", {552, 632, 728}, {16, 32, 16, 32, 16, 32}},
    {"unicode_object.asciiobject_size", {560, 640, 736}, {40, 56, 40, 56, 40, 56}},
    {"unicode_object.compactunicodeobject_size", {0, 0, 744}, {56, 72, 56, 72, 56, 72}},
    {"gc.collecting", {576, 656, 760}, {200, 200, 192, 192, 112, 112}},
    {"gc.frame", {0, 0, 768}, {0, 0, 0, 0, 120, 120}},
};

/* What 3.14.0 to 3.14.4 say otherwise than 3.14.8. */
static const struct {
    const char *name;
    uint32_t value;
} words_of_3_14_4[] = {
    {"interpreter_state.sysdict", 7648},
    {"interpreter_state.builtins", 7656},
    {"interpreter_state.imports_modules", 7664},
    {"interpreter_state.gil_runtime_state", 7760},
    {"interpreter_state.gil_runtime_state_holder", 7768},
    {"interpreter_state.gil_runtime_state_locked", 7776},
};

static unsigned position_of(const struct debug_table *table, const char *field)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].name, field) == 0)
            return words[i].positions[builds[table->build].shape];
    }
    assert(false); /* no table has such a field */
    return 0;
}

bool debug_table_has(const struct debug_table *table, const char *field)
{
    return position_of(table, field) != 0;
}

uint64_t debug_table_get(const struct debug_table *table, const char *field)
{
    uint64_t value;
    assert(debug_table_has(table, field));
    memcpy(&value, table->bytes + position_of(table, field), sizeof(value));
    return value;
}

void debug_table_put(struct debug_table *table, const char *field, uint64_t value)
{
    assert(debug_table_has(table, field));
    memcpy(table->bytes + position_of(table, field), &value, sizeof(value));
}

void debug_table_init(struct debug_table *table, enum debug_table_build build)
{
    unsigned shape = builds[build].shape, kind = 2 * shape + builds[build].is_free_threaded;
    *table = (struct debug_table){
        .build = build,
        .version = builds[build].version,
        .is_free_threaded = builds[build].is_free_threaded,
        .len = lens[shape],
    };
    memcpy(table->bytes, "xdebugpy", 8);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].positions[shape] != 0)
            debug_table_put(table, words[i].name, words[i].values[kind]);
    }
    debug_table_put(table, "version", table->version);
    for (size_t i = 0; build == DEBUG_TABLE_3_14_4 && i < sizeof(words_of_3_14_4) / sizeof(words_of_3_14_4[0]); i++)
        debug_table_put(table, words_of_3_14_4[i].name, words_of_3_14_4[i].value);
}
