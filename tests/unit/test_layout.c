/* SPDX-License-Identifier: MIT */
#include "python/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void each_version_is_found_by_its_number_and_kind_of_build(void **state)
{
    (void)state;
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++)
        assert_ptr_equal(
            layout_of_version(layouts[i].version >> 8, layouts[i].version & 0xff, layouts[i].is_free_threaded),
            &layouts[i]);
    assert_null(layout_of_version(0, 0, false));
    assert_null(layout_of_version(3, 7 + 256, false));
    assert_null(layout_of_version(3, 255, false));
    assert_null(layout_of_version(2, 6, false));
    assert_null(layout_of_version(3, 5, false));
    assert_null(layout_of_version(3, 16, false));
    assert_null(layout_of_version(3, 12, true));
    assert_null(layout_of_version(2, 7, true));
    assert_true(strlen(layout_versions()) > 0);
}

static bool is_inside(uint16_t offset, size_t field_len, size_t len)
{
    return offset == LAYOUT_NONE || offset + field_len <= len;
}

static void check_frame(const struct layout *layout)
{
    assert_true(layout->frame.size <= LAYOUT_FRAME_LEN);
    assert_true(layout->frame.code + 8 <= layout->frame.size);
    assert_true(layout->frame.previous + 8 <= layout->frame.size);
    assert_true(layout->frame.instruction + (layout->frame.instruction_unit ? 4 : 8) <= layout->frame.size);
    assert_true(is_inside(layout->frame.owner, 1, layout->frame.size));
    assert_true(is_inside(layout->frame.is_entry, 1, layout->frame.size));
    assert_true(is_inside(layout->frame.tlbc_index, 4, layout->frame.size));
    assert_int_equal(layout->frame.is_entry == LAYOUT_NONE, layout->entry_format != ENTRY_FLAG);
    assert_int_equal(layout->frame.tlbc_index == LAYOUT_NONE, layout->code.tlbc == LAYOUT_NONE);
}

static void check_code(const struct layout *layout)
{
    assert_true(layout->code.size <= LAYOUT_CODE_LEN);
    assert_true(layout->code.filename + 8 <= layout->code.size);
    assert_true(layout->code.name + 8 <= layout->code.size);
    assert_true(layout->code.line_table + 8 <= layout->code.size);
    assert_true(layout->code.first_line + 4 <= layout->code.size);
    assert_true(is_inside(layout->code.qualname, 8, layout->code.size));
    assert_true(is_inside(layout->code.version, 4, layout->code.size));
    assert_true(is_inside(layout->code.first_traceable, 4, layout->code.size));
    assert_true(is_inside(layout->code.tlbc, 8, layout->code.size));
}

static void check_thread_and_gil(const struct layout *layout)
{
    assert_true(layout->thread.next + 8 <= LAYOUT_THREAD_LEN);
    assert_true(layout->thread.interpreter + 8 <= LAYOUT_THREAD_LEN);
    assert_true(layout->thread.id + 8 <= LAYOUT_THREAD_LEN);
    assert_true(is_inside(layout->thread.native_id, 8, LAYOUT_THREAD_LEN));
    assert_int_equal(layout->runtime.gil == LAYOUT_NONE, layout->gil_format != GIL_OF_RUNTIME);
    assert_int_equal(layout->gil.enabled == LAYOUT_NONE, layout->gil_format != GIL_OPTIONAL);
    assert_int_equal(layout->gil_format == GIL_OPTIONAL, layout->is_free_threaded);
    assert_true(is_inside(layout->gil.switch_number, 8, LAYOUT_GIL_LEN));
}

static void check_objects(const struct layout *layout)
{
    assert_true(layout->text.ascii_data == LAYOUT_NONE || layout->text.ascii_data <= LAYOUT_TEXT_LEN);
    assert_true(is_inside(layout->text.state, 4, layout->text.ascii_data));
    assert_true(layout->text.length + 8 <= layout->text.ascii_data);
    assert_true(is_inside(layout->dict.values, 8, LAYOUT_DICT_LEN));
    assert_true(is_inside(layout->dict.table, 8, LAYOUT_DICT_LEN));
    assert_true(is_inside(layout->dict.indices, 0, LAYOUT_KEYS_LEN));
    assert_int_equal(layout->dict.keys == LAYOUT_NONE, layout->container_format == CONTAINERS_2);
    assert_int_equal(layout->dict.table == LAYOUT_NONE, layout->container_format != CONTAINERS_2);
}

static void each_row_lies_within_what_is_read(void **state)
{
    (void)state;
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        check_frame(&layouts[i]);
        check_code(&layouts[i]);
        check_thread_and_gil(&layouts[i]);
        check_objects(&layouts[i]);
    }
}

/* CPython 3.7.4 Include/internal/mem.h: the garbage collector's part of _PyRuntime grew by 88 bytes. */
static void the_gil_of_early_3_7_lies_lower(void **state)
{
    (void)state;
    static const struct {
        int micro;
        uint16_t gil;
    } rows[] = {{0, 1176}, {3, 1176}, {4, 1264}, {17, 1264}, {-1, 1264}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct layout layout = *layout_of_version(3, 7, false);
        layout_adjust_to_patch(&layout, rows[i].micro);
        assert_int_equal(layout.runtime.gil, rows[i].gil);
        assert_int_equal(layout.runtime.interpreters_head, 24);
    }
}

static void other_versions_do_not_depend_on_the_patch_level(void **state)
{
    (void)state;
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct layout layout = layouts[i];
        if (layout.version == (3 << 8 | 7))
            continue;
        for (int micro = -1; micro < 6; micro++)
            layout_adjust_to_patch(&layout, micro);
        assert_memory_equal(&layout, &layouts[i], sizeof(layout));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_is_found_by_its_number_and_kind_of_build),
        cmocka_unit_test(each_row_lies_within_what_is_read),
        cmocka_unit_test(the_gil_of_early_3_7_lies_lower),
        cmocka_unit_test(other_versions_do_not_depend_on_the_patch_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
