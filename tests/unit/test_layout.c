/* SPDX-License-Identifier: MIT */
#include "python/layout.h"

#include "fake_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { TABLE_LEN = 584, RUNTIME = 0x10000 };

/*
 * Words of CPython 3.13 Include/internal/pycore_runtime.h: struct _Py_DebugOffsets, by their position, with the values
 * of 3.13.0.
 */
static const struct {
    uint16_t position, value;
} words[] = {
    {40, 632},  {64, 7264}, {72, 7344}, {88, 7656}, {112, 16},  {168, 8},  {176, 16},  {184, 72},
    {192, 152}, {200, 160}, {208, 232}, {232, 8},   {240, 0},   {248, 56}, {264, 70},  {280, 112},
    {288, 120}, {296, 128}, {304, 136}, {312, 68},  {344, 200}, {360, 8},  {392, 168}, {456, 32},
    {464, 40},  {496, 16},  {504, 24},  {520, 16},  {528, 32},  {544, 32}, {552, 16},  {560, 40},
};

struct fixture {
    struct fake_memory fake;
    unsigned char table[TABLE_LEN];
    struct layout layout;
};

static void put(struct fixture *fixture, size_t position, uint64_t value)
{
    memcpy(fixture->table + position, &value, sizeof(value));
}

static void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.layout = *layout_of_version(3, 13)};
    memcpy(fixture->table, "xdebugpy", 8);
    put(fixture, 8, 0x030d00f0);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        put(fixture, words[i].position, words[i].value);
    fake_memory_init(&fixture->fake);
    fake_memory_map(&fixture->fake, RUNTIME, fixture->table, sizeof(fixture->table));
}

/* Applies the table; true when it was accepted, else it must have been called bad data. */
static bool is_accepted(struct fixture *fixture)
{
    cleanup_error struct error *error = layout_apply_debug_offsets(&fixture->layout, &fixture->fake.memory, RUNTIME);
    if (error)
        assert_int_equal(error->kind, ERROR_BAD_DATA);
    return !error;
}

static void each_version_is_found_by_its_number(void **state)
{
    (void)state;
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++)
        assert_ptr_equal(layout_of_version(layouts[i].version >> 8, layouts[i].version & 0xff), &layouts[i]);
    assert_null(layout_of_version(0, 0));
    assert_null(layout_of_version(3, 7 + 256));
    assert_null(layout_of_version(3, 255));
    assert_null(layout_of_version(2, 7));
    assert_true(strlen(layout_versions()) > 0);
}

static void each_row_lies_within_what_is_read(void **state)
{
    (void)state;
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        const struct layout *layout = &layouts[i];
        assert_true(layout->frame.size <= 128);
        assert_true(layout->frame.code + 8 <= layout->frame.size);
        assert_true(layout->frame.previous + 8 <= layout->frame.size);
        assert_true(layout->frame.instruction + (layout->frame.instruction_unit ? 4 : 8) <= layout->frame.size);
        assert_true(layout->frame.owner == LAYOUT_NONE || layout->frame.owner < layout->frame.size);
        assert_true(layout->frame.is_entry == LAYOUT_NONE || layout->frame.is_entry < layout->frame.size);
        assert_int_equal(layout->frame.is_entry == LAYOUT_NONE, layout->entry_format != ENTRY_FLAG);
        assert_true(layout->code.size <= 256);
        assert_true(layout->code.line_table + 8 <= layout->code.size);
        assert_true(layout->thread.id + 8 <= 256);
        assert_true(layout->text.state + 4 <= layout->text.ascii_data);
        assert_true(layout->text.length + 8 <= layout->text.ascii_data);
        assert_true(layout->dict.values + 8 <= 64 && layout->dict.indices <= 64);
    }
}

static void the_offsets_of_3_13_are_what_its_row_says(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    assert_true(is_accepted(&fixture));
    assert_memory_equal(&fixture.layout, layout_of_version(3, 13), sizeof(fixture.layout));
}

static void an_offset_of_the_target_replaces_the_rows(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    put(&fixture, 72, 9000);
    put(&fixture, 208, 240);
    assert_true(is_accepted(&fixture));
    assert_int_equal(fixture.layout.interpreter.threads_head, 9000);
    assert_int_equal(fixture.layout.thread.stack_chunk, 240);
}

static void an_offset_out_of_range_is_refused(void **state)
{
    (void)state;
    static const uint64_t values[] = {LAYOUT_NONE, LAYOUT_NONE + 1, 1 << 20, UINT64_C(1) << 32, UINT64_MAX};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            struct fixture fixture;
            fixture_init(&fixture);
            put(&fixture, words[i].position, values[j]);
            assert_false(is_accepted(&fixture));
        }
    }
}

/* Expects that the largest offset that passes for one is refused at these positions of the table. */
static void check_refused(const uint16_t *positions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture fixture;
        fixture_init(&fixture);
        put(&fixture, positions[i], LAYOUT_NONE - 1);
        if (is_accepted(&fixture))
            fail_msg("the word at %u is accepted", positions[i]);
    }
}

static void a_field_outside_of_its_frame_or_code_object_is_refused(void **state)
{
    (void)state;
    static const uint16_t positions[] = {232, 240, 248, 264, 280, 288, 296, 304, 312};
    check_refused(positions, sizeof(positions) / sizeof(positions[0]));
}

static void a_field_that_reaches_over_the_end_of_its_struct_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint16_t position, value;
    } rows[] = {{232, 65}, {240, 65}, {248, 65}, {264, 72}, {280, 201}, {304, 201}, {312, 205}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;
        fixture_init(&fixture);
        put(&fixture, rows[i].position, rows[i].value - 1U);
        assert_true(is_accepted(&fixture));
        put(&fixture, rows[i].position, rows[i].value);
        assert_false(is_accepted(&fixture));
    }
}

static void a_table_that_is_short_or_not_mapped_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.fake.ranges[0].len = TABLE_LEN - 1;
    assert_false(is_accepted(&fixture));
    fake_memory_unmap(&fixture.fake, RUNTIME);
    assert_false(is_accepted(&fixture));
}

static void debug_offsets_are_known_by_their_cookie(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    struct debug_offsets offsets = {.version = 42};
    assert_true(debug_offsets_read(&fixture.fake.memory, RUNTIME, &offsets));
    assert_int_equal(offsets.version, 0x030d00f0);
    assert_false(offsets.is_free_threaded);
    put(&fixture, 16, 1);
    assert_true(debug_offsets_read(&fixture.fake.memory, RUNTIME, &offsets));
    assert_true(offsets.is_free_threaded);
    for (size_t i = 0; i < 8; i++) {
        fixture.table[i] ^= 1;
        assert_false(debug_offsets_read(&fixture.fake.memory, RUNTIME, &offsets));
        fixture.table[i] ^= 1;
    }
    put(&fixture, 8, UINT64_MAX);
    assert_false(debug_offsets_read(&fixture.fake.memory, RUNTIME, &offsets));
    fixture.fake.ranges[0].len = 23;
    assert_false(debug_offsets_read(&fixture.fake.memory, RUNTIME, &offsets));
    assert_false(debug_offsets_read(&fixture.fake.memory, UINT64_MAX, &offsets));
}

static void a_field_outside_of_what_is_read_of_a_thread_is_refused(void **state)
{
    (void)state;
    static const uint16_t positions[] = {168, 176, 192, 200};
    check_refused(positions, sizeof(positions) / sizeof(positions[0]));
}

static void a_type_outside_of_what_is_read_of_an_object_is_refused(void **state)
{
    (void)state;
    static const uint16_t positions[] = {360};
    check_refused(positions, sizeof(positions) / sizeof(positions[0]));
}

static void a_field_outside_of_what_is_read_of_a_str_is_refused(void **state)
{
    (void)state;
    static const uint16_t positions[] = {544, 552};
    check_refused(positions, sizeof(positions) / sizeof(positions[0]));
}

static void a_field_outside_of_what_is_read_of_a_dict_is_refused(void **state)
{
    (void)state;
    static const uint16_t positions[] = {456, 464};
    check_refused(positions, sizeof(positions) / sizeof(positions[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_is_found_by_its_number),
        cmocka_unit_test(each_row_lies_within_what_is_read),
        cmocka_unit_test(the_offsets_of_3_13_are_what_its_row_says),
        cmocka_unit_test(an_offset_of_the_target_replaces_the_rows),
        cmocka_unit_test(an_offset_out_of_range_is_refused),
        cmocka_unit_test(a_field_outside_of_its_frame_or_code_object_is_refused),
        cmocka_unit_test(a_field_that_reaches_over_the_end_of_its_struct_is_refused),
        cmocka_unit_test(a_table_that_is_short_or_not_mapped_is_refused),
        cmocka_unit_test(debug_offsets_are_known_by_their_cookie),
        cmocka_unit_test(a_field_outside_of_what_is_read_of_a_thread_is_refused),
        cmocka_unit_test(a_type_outside_of_what_is_read_of_an_object_is_refused),
        cmocka_unit_test(a_field_outside_of_what_is_read_of_a_str_is_refused),
        cmocka_unit_test(a_field_outside_of_what_is_read_of_a_dict_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
