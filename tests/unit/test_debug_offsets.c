/* SPDX-License-Identifier: MIT */
#include "python/debug_offsets.h"

#include "base/cleanup.h"
#include "fake_memory.h"
#include "python/layout.h"
#include "python_debug_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { RUNTIME = 0x10000 };

struct fixture {
    struct fake_memory fake;
    struct debug_table table;
    struct layout layout;
};

static const struct layout *row_of(const struct debug_table *table)
{
    return layout_of_version(table->version >> 24, table->version >> 16 & 0xff, table->is_free_threaded);
}

static void init(struct fixture *fixture, enum debug_table_build build)
{
    debug_table_init(&fixture->table, build);
    fixture->layout = *row_of(&fixture->table);
    fake_memory_init(&fixture->fake);
    fake_memory_map(&fixture->fake, RUNTIME, fixture->table.bytes, fixture->table.len);
}

/* Applies the table; true when it was accepted, else it must have been called bad data. */
static bool is_accepted(struct fixture *fixture)
{
    cleanup_error struct error *error = debug_offsets_apply(&fixture->layout, &fixture->fake.memory, RUNTIME);
    if (error)
        assert_int_equal(error->kind, ERROR_BAD_DATA);
    return !error;
}

/* Whether the table of a build is accepted with another value in one field. */
static bool is_accepted_with(enum debug_table_build build, const char *field, uint64_t value)
{
    struct fixture fixture;
    init(&fixture, build);
    debug_table_put(&fixture.table, field, value);
    return is_accepted(&fixture);
}

static void check_with(enum debug_table_build build, const char *field, uint64_t value, bool is_good)
{
    if (is_accepted_with(build, field, value) != is_good)
        fail_msg("build %u, %s = %llu: %s", (unsigned)build, field, (unsigned long long)value,
                 is_good ? "refused" : "accepted");
}

static bool has_field(enum debug_table_build build, const char *field)
{
    struct debug_table table;
    debug_table_init(&table, build);
    return debug_table_has(&table, field);
}

static void the_table_of_each_build_agrees_with_its_row(void **state)
{
    (void)state;
    static const enum debug_table_build same[] = {DEBUG_TABLE_3_13_0, DEBUG_TABLE_3_14_8, DEBUG_TABLE_3_15_0,
                                                  DEBUG_TABLE_3_15_0T};
    for (size_t i = 0; i < array_size(same); i++) {
        struct fixture fixture;
        init(&fixture, same[i]);
        assert_true(is_accepted(&fixture));
        assert_memory_equal(&fixture.layout, row_of(&fixture.table), sizeof(fixture.layout));
    }
}

/* The rows are those of one patch level and of builds with a GIL. What differs is known from the table alone. */
static void what_differs_within_a_minor_version_is_taken_from_the_table(void **state)
{
    (void)state;
    static const struct {
        enum debug_table_build build;
        uint16_t modules, sysdict, builtins;
    } rows[] = {
        {DEBUG_TABLE_3_13_5T, 7664, 7648, 7656},
        {DEBUG_TABLE_3_14_4, 7664, 7648, 7656},
        {DEBUG_TABLE_3_14_4T, 7712, 7696, 7704},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        struct fixture fixture;
        init(&fixture, rows[i].build);
        struct layout expected = fixture.layout;
        expected.interpreter.modules = rows[i].modules;
        expected.interpreter.sysdict = rows[i].sysdict;
        expected.interpreter.builtins = rows[i].builtins;
        assert_true(is_accepted(&fixture));
        assert_memory_equal(&fixture.layout, &expected, sizeof(expected));
    }
}

static void an_offset_of_the_target_replaces_the_rows(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        struct fixture fixture;
        init(&fixture, build);
        debug_table_put(&fixture.table, "interpreter_state.threads_head", 9000);
        debug_table_put(&fixture.table, "thread_state.datastack_chunk", 240);
        debug_table_put(&fixture.table, "unicode_object.state", debug_table_get(&fixture.table, "pyobject.size") + 12);
        assert_true(is_accepted(&fixture));
        assert_int_equal(fixture.layout.interpreter.threads_head, 9000);
        assert_int_equal(fixture.layout.thread.stack_chunk, 240);
        assert_int_equal(fixture.layout.text.state, fixture.layout.object.var_size + 12);
    }
}

/* All that is taken from a table of 3.15. */
static const char *const fields[] = {
    "runtime_state.interpreters_head",
    "interpreter_state.id",
    "interpreter_state.next",
    "interpreter_state.threads_head",
    "interpreter_state.imports_modules",
    "interpreter_state.sysdict",
    "interpreter_state.builtins",
    "interpreter_state.ceval_gil",
    "interpreter_state.gc",
    "thread_state.next",
    "thread_state.interp",
    "thread_state.current_frame",
    "thread_state.thread_id",
    "thread_state.native_thread_id",
    "thread_state.datastack_chunk",
    "interpreter_frame.previous",
    "interpreter_frame.executable",
    "interpreter_frame.instr_ptr",
    "interpreter_frame.owner",
    "code_object.filename",
    "code_object.name",
    "code_object.qualname",
    "code_object.linetable",
    "code_object.firstlineno",
    "interpreter_frame.localsplus",
    "code_object.argcount",
    "code_object.localsplusnames",
    "code_object.localspluskinds",
    "code_object.co_code_adaptive",
    "pyobject.ob_type",
    "type_object.tp_name",
    "type_object.tp_repr",
    "type_object.tp_flags",
    "type_object.tp_basicsize",
    "type_object.tp_dictoffset",
    "heap_type_object.ht_cached_keys",
    "tuple_object.ob_item",
    "list_object.ob_item",
    "set_object.table",
    "set_object.mask",
    "dict_object.ma_keys",
    "dict_object.ma_values",
    "long_object.lv_tag",
    "long_object.ob_digit",
    "bytes_object.ob_size",
    "bytes_object.ob_sval",
    "unicode_object.state",
    "unicode_object.length",
    "unicode_object.asciiobject_size",
    "unicode_object.compactunicodeobject_size",
    "gc.collecting",
    "gc.frame",
};

/* They count from the start of a struct, and have to be in range from the start of the interpreter. */
static void offsets_whose_sum_is_out_of_range_are_refused(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        struct debug_table table;
        debug_table_init(&table, build);
        uint64_t gc = debug_table_get(&table, "interpreter_state.gc");
        check_with(build, "gc.collecting", LAYOUT_NONE - 1 - gc, true);
        check_with(build, "gc.collecting", LAYOUT_NONE - gc, false);
        check_with(build, "gc.collecting", UINT64_MAX - gc, false);
    }
}

/* Only in free-threaded builds from 3.14 on; in others these words mean nothing. */
static const char *const copy_fields[] = {"interpreter_frame.tlbc_index", "code_object.co_tlbc"};

static const uint64_t out_of_range[] = {LAYOUT_NONE, LAYOUT_NONE + 1, 1 << 20, UINT64_C(1) << 32, UINT64_MAX};

static void an_offset_out_of_range_is_refused(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        for (size_t i = 0; i < array_size(fields) * array_size(out_of_range); i++) {
            if (has_field(build, fields[i / array_size(out_of_range)]))
                check_with(build, fields[i / array_size(out_of_range)], out_of_range[i % array_size(out_of_range)],
                           false);
        }
    }
}

static void where_copies_of_instructions_are_matters_in_free_threaded_builds(void **state)
{
    (void)state;
    for (unsigned build = DEBUG_TABLE_3_14_4; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        bool has_copies = build == DEBUG_TABLE_3_14_4T || build == DEBUG_TABLE_3_15_0T;
        for (size_t i = 0; i < array_size(copy_fields) * array_size(out_of_range); i++)
            check_with(build, copy_fields[i / array_size(out_of_range)], out_of_range[i % array_size(out_of_range)],
                       !has_copies);
    }
}

/* Fields that lie in what is read of a struct, and how long they are. */
static const struct {
    const char *name;
    enum { FRAME, CODE, THREAD, DICT } in;
    uint16_t len;
} inner_fields[] = {
    {"interpreter_frame.previous", FRAME, 8},
    {"interpreter_frame.executable", FRAME, 8},
    {"interpreter_frame.instr_ptr", FRAME, 8},
    {"interpreter_frame.owner", FRAME, 1},
    {"interpreter_frame.tlbc_index", FRAME, 4},
    {"code_object.filename", CODE, 8},
    {"code_object.name", CODE, 8},
    {"code_object.qualname", CODE, 8},
    {"code_object.linetable", CODE, 8},
    {"code_object.firstlineno", CODE, 4},
    {"code_object.co_tlbc", CODE, 8},
    {"thread_state.next", THREAD, 8},
    {"thread_state.interp", THREAD, 8},
    {"thread_state.thread_id", THREAD, 8},
    {"thread_state.native_thread_id", THREAD, 8},
    {"dict_object.ma_values", DICT, 8},
};

static void a_field_that_reaches_over_the_end_of_its_struct_is_refused(void **state)
{
    (void)state;
    static const enum debug_table_build all_fields[] = {DEBUG_TABLE_3_14_4T, DEBUG_TABLE_3_15_0T};
    for (size_t i = 0; i < array_size(all_fields); i++) {
        struct fixture fixture;
        init(&fixture, all_fields[i]);
        const uint16_t lens[] = {
            [FRAME] = fixture.layout.frame.size,
            [CODE] = fixture.layout.code.size,
            [THREAD] = LAYOUT_THREAD_LEN,
            [DICT] = LAYOUT_DICT_LEN,
        };
        for (size_t j = 0; j < array_size(inner_fields); j++) {
            uint16_t last = lens[inner_fields[j].in] - inner_fields[j].len;
            check_with(all_fields[i], inner_fields[j].name, last, true);
            check_with(all_fields[i], inner_fields[j].name, last + 1U, false);
            check_with(all_fields[i], inner_fields[j].name, LAYOUT_NONE - 1, false);
        }
    }
}

static void a_str_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        check_with(build, "unicode_object.asciiobject_size", LAYOUT_TEXT_LEN, true);
        check_with(build, "unicode_object.asciiobject_size", LAYOUT_TEXT_LEN + 1, false);
        check_with(build, "unicode_object.asciiobject_size", 8, false);
        check_with(build, "unicode_object.state", LAYOUT_TEXT_LEN, false);
    }
}

static void what_holds_in_every_version_has_to_hold(void **state)
{
    (void)state;
    static const char *const heads[] = {"pyobject.size", "bytes_object.ob_size", "unicode_object.length",
                                        "long_object.lv_tag", "pyobject.ob_type"};
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        struct debug_table table;
        debug_table_init(&table, build);
        uint64_t size = debug_table_get(&table, "pyobject.size");
        for (size_t i = 0; i < array_size(heads); i++) {
            check_with(build, heads[i], 0, false);
            check_with(build, heads[i], debug_table_get(&table, heads[i]) + 8, false);
            check_with(build, heads[i], 48 - size, false); /* the head of the other kind of build */
        }
    }
}

static void a_table_of_the_other_kind_of_build_is_refused(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        struct fixture fixture;
        init(&fixture, build);
        unsigned minor = fixture.table.version >> 16 & 0xff;
        fixture.layout = *layout_of_version(3, minor, !fixture.table.is_free_threaded);
        assert_false(is_accepted(&fixture));
    }
}

static void a_table_of_another_shape_is_refused(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        for (unsigned minor = 13; minor <= 15; minor++) {
            struct fixture fixture;
            init(&fixture, build);
            fixture.fake.ranges[0].len = DEBUG_TABLE_LEN_LIMIT; /* other things of the runtime follow the table */
            fixture.layout = *layout_of_version(3, minor, fixture.table.is_free_threaded);
            if (is_accepted(&fixture) != (minor == (fixture.table.version >> 16 & 0xff)))
                fail_msg("build %u as 3.%u", build, minor);
        }
    }
}

/* Where the fields of the GIL are is known as differences. */
static void check_gil_words(enum debug_table_build build, uint64_t gil, uint64_t holder, uint64_t locked, bool is_good)
{
    struct fixture fixture;
    init(&fixture, build);
    debug_table_put(&fixture.table, "interpreter_state.gil_runtime_state", gil);
    debug_table_put(&fixture.table, "interpreter_state.gil_runtime_state_holder", holder);
    debug_table_put(&fixture.table, "interpreter_state.gil_runtime_state_locked", locked);
    if (is_accepted(&fixture) != is_good)
        fail_msg("build %u: GIL at %llu, %llu, %llu", (unsigned)build, (unsigned long long)gil,
                 (unsigned long long)holder, (unsigned long long)locked);
    if (is_good)
        assert_true(fixture.layout.gil.switch_number + 8 <= LAYOUT_GIL_LEN);
}

static void a_gil_whose_fields_are_not_in_order_is_refused(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        check_gil_words(build, 7000, 7016, 7024, true);
        check_gil_words(build, 7000, 7040, 7048, true);
        check_gil_words(build, 7000, 7040, 7049, false); /* longer than what is read */
        check_gil_words(build, 7000, 7024, 7016, false);
        check_gil_words(build, 7000, 7016, 7016, false);
        check_gil_words(build, 7000, 7016, 7020, false); /* the holder is a pointer */
        check_gil_words(build, 7000, 6992, 7016, false);
        check_gil_words(build, 7000, 6976, 6984, false); /* before the GIL; with 16 added it is behind it again */
        check_gil_words(build, 7000, 7008, 6992, false);
        check_gil_words(build, 0, 0, UINT64_MAX, false);
        check_gil_words(build, 0, UINT64_MAX - 8, UINT64_MAX, false);
        check_gil_words(build, 1 << 20, (1 << 20) + (1 << 16) + 16, (1 << 20) + (1 << 16) + 24, false);
    }
}

static void a_switch_of_the_gil_behind_its_holder_is_refused(void **state)
{
    (void)state;
    enum { POSITION_3_13 = 128, POSITION_FROM_3_14 = 136 };
    static const enum debug_table_build builds[] = {DEBUG_TABLE_3_13_5T, DEBUG_TABLE_3_14_4T, DEBUG_TABLE_3_15_0T};
    for (size_t i = 0; i < array_size(builds); i++) {
        static const uint64_t places[] = {0, 8, 12, 16, 64, UINT64_C(1) << 32};
        for (size_t j = 0; j < array_size(places); j++) {
            struct fixture fixture;
            init(&fixture, builds[i]);
            uint64_t word = debug_table_get(&fixture.table, "interpreter_state.gil_runtime_state") + places[j];
            memcpy(fixture.table.bytes + (i == 0 ? POSITION_3_13 : POSITION_FROM_3_14), &word, sizeof(word));
            bool is_good = places[j] + 4 <= 16;
            assert_int_equal(is_accepted(&fixture), is_good);
            if (is_good)
                assert_int_equal(fixture.layout.gil.enabled, places[j]);
        }
    }
}

static void a_table_that_is_short_or_not_mapped_is_refused(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        struct fixture fixture;
        init(&fixture, build);
        fixture.fake.ranges[0].len = fixture.table.len - 1;
        assert_false(is_accepted(&fixture));
        fake_memory_unmap(&fixture.fake, RUNTIME);
        assert_false(is_accepted(&fixture));
    }
}

static void debug_offsets_are_known_by_their_cookie(void **state)
{
    (void)state;
    for (unsigned build = 0; build < DEBUG_TABLE_BUILD_COUNT; build++) {
        struct fixture fixture;
        init(&fixture, build);
        struct memory *memory = &fixture.fake.memory;
        struct debug_offsets offsets = {.version = 42};
        assert_true(debug_offsets_read(memory, RUNTIME, &offsets));
        assert_int_equal(offsets.version, fixture.table.version);
        assert_int_equal(offsets.is_free_threaded, fixture.table.is_free_threaded);
        for (size_t i = 0; i < 8; i++) {
            fixture.table.bytes[i] ^= 1;
            assert_false(debug_offsets_read(memory, RUNTIME, &offsets));
            fixture.table.bytes[i] ^= 1;
        }
        debug_table_put(&fixture.table, "version", UINT64_MAX);
        assert_false(debug_offsets_read(memory, RUNTIME, &offsets));
        fixture.fake.ranges[0].len = 23;
        assert_false(debug_offsets_read(memory, RUNTIME, &offsets));
        assert_false(debug_offsets_read(memory, UINT64_MAX, &offsets));
    }
}

static void tables_of_garbage_do_no_harm(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (unsigned round = 0; round < 20000; round++) {
        struct fixture fixture;
        init(&fixture, round % DEBUG_TABLE_BUILD_COUNT);
        for (int i = 0; i < 3; i++) {
            seed = seed * 1664525 + 1013904223;
            uint64_t word = seed >> (seed >> 27), position = 24 + (seed >> 8) % (fixture.table.len / 8 - 3) * 8;
            word = seed & 1 ? word : -word;
            memcpy(fixture.table.bytes + position, &word, sizeof(word));
        }
        if (!is_accepted(&fixture))
            continue;
        assert_true(fixture.layout.gil.switch_number + 8 <= LAYOUT_GIL_LEN);
        assert_true(fixture.layout.gil.last_holder + 8 <= fixture.layout.gil.locked);
        assert_true(fixture.layout.thread.id + 8 <= LAYOUT_THREAD_LEN);
        assert_true(fixture.layout.dict.keys + 8 <= LAYOUT_DICT_LEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_each_build_agrees_with_its_row),
        cmocka_unit_test(what_differs_within_a_minor_version_is_taken_from_the_table),
        cmocka_unit_test(an_offset_of_the_target_replaces_the_rows),
        cmocka_unit_test(an_offset_out_of_range_is_refused),
        cmocka_unit_test(offsets_whose_sum_is_out_of_range_are_refused),
        cmocka_unit_test(where_copies_of_instructions_are_matters_in_free_threaded_builds),
        cmocka_unit_test(a_field_that_reaches_over_the_end_of_its_struct_is_refused),
        cmocka_unit_test(a_str_that_contradicts_itself_is_refused),
        cmocka_unit_test(what_holds_in_every_version_has_to_hold),
        cmocka_unit_test(a_table_of_the_other_kind_of_build_is_refused),
        cmocka_unit_test(a_table_of_another_shape_is_refused),
        cmocka_unit_test(a_gil_whose_fields_are_not_in_order_is_refused),
        cmocka_unit_test(a_switch_of_the_gil_behind_its_holder_is_refused),
        cmocka_unit_test(a_table_that_is_short_or_not_mapped_is_refused),
        cmocka_unit_test(debug_offsets_are_known_by_their_cookie),
        cmocka_unit_test(tables_of_garbage_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
