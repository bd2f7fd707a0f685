/* SPDX-License-Identifier: MIT */
#include "memory/maps.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void parse(struct maps *maps, const char *text)
{
    assert_null(maps_init(maps, text, strlen(text)));
}

static void a_line_is_taken_apart(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "7f1c2a000000-7f1c2a1d0000 r-xp 00001000 fd:00 131                  /usr/lib/libpython3.11.so.1.0\n");
    assert_int_equal(maps.count, 1);
    const struct mapping *mapping = &maps.mappings[0];
    assert_int_equal(mapping->start, 0x7f1c2a000000);
    assert_int_equal(mapping->end, 0x7f1c2a1d0000);
    assert_int_equal(mapping->offset, 0x1000);
    assert_int_equal(mapping->inode, 131);
    assert_true(mapping->readable);
    assert_false(mapping->writable);
    assert_true(mapping->executable);
    assert_false(mapping->is_deleted);
    assert_string_equal(mapping->path, "/usr/lib/libpython3.11.so.1.0");
    assert_string_equal(mapping_name(mapping), "libpython3.11.so.1.0");
}

static void anonymous_and_special_mappings_have_no_file(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "1000-2000 ---p 00000000 00:00 0\n"
                 "2000-3000 rw-s 00000000 00:00 0 \n"
                 "3000-4000 rw-p 00000000 00:00 0                  [heap]\n");
    assert_int_equal(maps.count, 3);
    assert_string_equal(maps.mappings[0].path, "");
    assert_string_equal(mapping_name(&maps.mappings[1]), "");
    assert_string_equal(maps.mappings[2].path, "[heap]");
    assert_false(maps.mappings[0].readable);
}

static void a_path_keeps_its_blanks_and_loses_its_escapes(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "1000-2000 r--p 0 0:0 7   /a b/c\\012d\n"
                 "2000-3000 r--p 0 0:0 7   /e\\01\n"
                 "3000-4000 r--p 0 0:0 7   /f\\\n"
                 "4000-5000 r--p 0 0:0 7   \\012\\012\n"
                 "5000-6000 r--p 0 0:0 7   /g\\899\n");
    assert_int_equal(maps.count, 5);
    assert_string_equal(maps.mappings[0].path, "/a b/c\nd");
    assert_string_equal(maps.mappings[1].path, "/e\\01");
    assert_string_equal(maps.mappings[2].path, "/f\\");
    assert_string_equal(maps.mappings[3].path, "\n\n");
    assert_string_equal(maps.mappings[4].path, "/g\\899");
}

static void the_kernels_mark_of_a_deleted_file_is_not_part_of_its_path(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "1000-2000 r--p 0 0:0 7   /a (deleted)\n"
                 "2000-3000 r--p 0 0:0 7   /b (deleted) (deleted)\n"
                 "3000-4000 r--p 0 0:0 7   /c(deleted)\n"
                 "4000-5000 r--p 0 0:0 7   /d (deleted)x\n");
    assert_int_equal(maps.count, 4);
    assert_true(maps.mappings[0].is_deleted);
    assert_string_equal(maps.mappings[0].path, "/a");
    assert_true(maps.mappings[1].is_deleted);
    assert_string_equal(maps.mappings[1].path, "/b (deleted)");
    assert_false(maps.mappings[2].is_deleted);
    assert_false(maps.mappings[3].is_deleted);
}

static void the_last_line_needs_no_newline(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "1000-2000 r--p 0 0:0 7 /a\n2000-3000 r--p 0 0:0 7 /b");
    assert_int_equal(maps.count, 2);
    assert_string_equal(maps.mappings[1].path, "/b");
}

static void text_behind_the_given_length_is_not_read(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    const char text[] = "1000-2000 r--p 0 0:0 7 /abc";
    assert_null(maps_init(&maps, text, sizeof(text) - 3));
    assert_string_equal(maps.mappings[0].path, "/a");
}

static void an_empty_text_has_no_mappings(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "");
    assert_int_equal(maps.count, 0);
    assert_null(maps_find(&maps, 0));
    struct maps zeroed = {0};
    maps_deinit(&zeroed);
}

static void lines_that_are_not_understood_are_passed_over(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "\n",
        "x",
        "1000",
        "1000-",
        "-2000",
        "1000-2000",
        "1000-2000 ",
        "1000-2000 r",
        "1000-2000 r--p",
        "1000-2000 r--p ",
        "1000-2000 r--p 0",
        "1000-2000 r--p 0 0",
        "1000-2000 r--p 0 0:",
        "1000-2000 r--p 0 0:0",
        "1000-2000 r--p 0 0:0 ",
        "1000-2000 r--p 0 0:0 x",
        "1000 2000 r--p 0 0:0 7",
        " 1000-2000 r--p 0 0:0 7",
        "2000-1000 r--p 0 0:0 7",
        "1000-1000 r--p 0 0:0 7",
        "-1000-2000 r--p 0 0:0 7",
        "+1000-2000 r--p 0 0:0 7",
        "1000--2000 r--p 0 0:0 7",
        "1000-2000 r--p -1 0:0 7",
        "1000-2000 r--p 0 0:0 -7",
        "g000-h000 r--p 0 0:0 7",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cleanup_buffer struct buffer text = {0};
        buffer_format(&text, "%s\n7000-8000 rw-p 0 0:0 0\n", lines[i]);
        cleanup_maps struct maps maps;
        parse(&maps, buffer_text(&text));
        assert_int_equal(maps.count, 1);
        assert_int_equal(maps.mappings[0].start, 0x7000);
    }
}

static void overlapping_lines_and_lines_out_of_order_are_passed_over(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "3000-5000 r--p 0 0:0 7 /a\n"
                 "1000-2000 r--p 0 0:0 7 /before\n"
                 "4000-6000 r--p 0 0:0 7 /overlap\n"
                 "3000-5000 r--p 0 0:0 7 /same\n"
                 "5000-6000 r--p 0 0:0 7 /b\n");
    assert_int_equal(maps.count, 2);
    assert_string_equal(maps.mappings[1].path, "/b");
}

static void overlong_numbers_leave_the_maps_in_order(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "1000-2000 r--p 0 0:0 7 /a\n"
                 "2000-fffffffffffffffffffffffffffffff r--p 0 0:0 7 /overlong\n"
                 "fffffffffffffffff-ffffffffffffffffff r--p 0 0:0 7 /both\n"
                 "ffffffffff600000-ffffffffff601000 --xp 0 0:0 0 [vsyscall]\n");
    for (uint32_t i = 0; i < maps.count; i++) {
        assert_true(maps.mappings[i].start < maps.mappings[i].end);
        assert_true(i == 0 || maps.mappings[i - 1].end <= maps.mappings[i].start);
    }
}

/* Cut to 2^64 - 1, the line would hide those that follow. */
static void a_line_with_an_overlong_number_is_passed_over(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "2000-fffffffffffffffffffffffffffffff r--p 0 0:0 7 /overlong\n3000-4000 r--p 0 0:0 7 /a\n");
    assert_int_equal(maps.count, 1);
    assert_string_equal(maps.mappings[0].path, "/a");
}

static void an_address_is_found_in_the_mapping_that_holds_it(void **state)
{
    (void)state;
    cleanup_maps struct maps maps;
    parse(&maps, "1000-2000 r--p 0 0:0 0\n3000-4000 r--p 0 0:0 0\n4000-5000 r--p 0 0:0 0\n");
    assert_null(maps_find(&maps, 0));
    assert_null(maps_find(&maps, 0xfff));
    assert_ptr_equal(maps_find(&maps, 0x1000), &maps.mappings[0]);
    assert_ptr_equal(maps_find(&maps, 0x1fff), &maps.mappings[0]);
    assert_null(maps_find(&maps, 0x2000));
    assert_ptr_equal(maps_find(&maps, 0x3fff), &maps.mappings[1]);
    assert_ptr_equal(maps_find(&maps, 0x4000), &maps.mappings[2]);
    assert_null(maps_find(&maps, 0x5000));
    assert_null(maps_find(&maps, UINT64_MAX));
}

static void binary_garbage_does_no_harm(void **state)
{
    (void)state;
    enum { LEN = 64 * 1024 };
    static const char alphabet[] = "0123456789abcdef- rwxp:/\\\n\n\n ()\xff\x01";
    char *text = malloc(LEN);
    uint32_t seed = 1;
    for (int i = 0; i < LEN; i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = i < LEN / 2 ? alphabet[(seed >> 16) % (sizeof(alphabet) - 1)] : (char)(seed >> 24);
    }
    cleanup_maps struct maps maps;
    assert_null(maps_init(&maps, text, LEN));
    free(text);
}

static void every_cut_of_a_line_does_no_harm(void **state)
{
    (void)state;
    const char text[] = "1000-2000 r-xp 00001000 fd:00 131   /usr/lib/a\\012b (deleted)";
    for (size_t len = 0; len < sizeof(text); len++) {
        char *cut = malloc(len ? len : 1);
        memcpy(cut, text, len);
        cleanup_maps struct maps maps;
        assert_null(maps_init(&maps, cut, len));
        assert_int_equal(maps.count, len >= 31);
        free(cut);
    }
}

static void append_lines(struct buffer *text, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++)
        buffer_format(text, "%x-%x r--p 0 0:0 0\n", i, i + 1);
}

static void a_hundred_thousand_lines_are_kept(void **state)
{
    (void)state;
    cleanup_buffer struct buffer text = {0};
    append_lines(&text, 100000);
    cleanup_maps struct maps maps;
    parse(&maps, buffer_text(&text));
    assert_int_equal(maps.count, 100000);
    assert_ptr_equal(maps_find(&maps, 77777), &maps.mappings[77776]);
}

static void more_mappings_than_the_limit_are_an_error(void **state)
{
    (void)state;
    cleanup_buffer struct buffer text = {0};
    append_lines(&text, (1 << 20) + 1);
    struct maps maps;
    cleanup_error struct error *error = maps_init(&maps, buffer_text(&text), text.len);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_BAD_DATA);
    assert_null(maps.mappings);
    assert_null(maps.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_taken_apart),
        cmocka_unit_test(anonymous_and_special_mappings_have_no_file),
        cmocka_unit_test(a_path_keeps_its_blanks_and_loses_its_escapes),
        cmocka_unit_test(the_kernels_mark_of_a_deleted_file_is_not_part_of_its_path),
        cmocka_unit_test(the_last_line_needs_no_newline),
        cmocka_unit_test(text_behind_the_given_length_is_not_read),
        cmocka_unit_test(an_empty_text_has_no_mappings),
        cmocka_unit_test(lines_that_are_not_understood_are_passed_over),
        cmocka_unit_test(overlapping_lines_and_lines_out_of_order_are_passed_over),
        cmocka_unit_test(overlong_numbers_leave_the_maps_in_order),
        cmocka_unit_test(an_address_is_found_in_the_mapping_that_holds_it),
        cmocka_unit_test(binary_garbage_does_no_harm),
        cmocka_unit_test(every_cut_of_a_line_does_no_harm),
        cmocka_unit_test(a_hundred_thousand_lines_are_kept),
        cmocka_unit_test(more_mappings_than_the_limit_are_an_error),
        cmocka_unit_test(a_line_with_an_overlong_number_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
