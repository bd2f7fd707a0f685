/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_zeroed_buffer_is_an_empty_text(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = {0};
    assert_string_equal(buffer_text(&buffer), "");
    buffer_clear(&buffer);
    assert_int_equal(buffer.len, 0);
    assert_false(buffer.failed);
}

static void what_is_appended_stands_in_a_row(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = {0};
    buffer_append(&buffer, "ab", 2);
    buffer_append(&buffer, NULL, 0);
    buffer_append_text(&buffer, "cd");
    buffer_append_char(&buffer, 'e');
    buffer_format(&buffer, "%03d%s", 7, "");
    assert_string_equal(buffer_text(&buffer), "abcde007");
    assert_int_equal(buffer.len, 8);
}

static void nul_bytes_count_like_others(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = {0};
    buffer_append(&buffer, "a\0b", 3);
    buffer_append_char(&buffer, '\0');
    assert_int_equal(buffer.len, 4);
    assert_memory_equal(buffer.data, "a\0b\0", 5);
}

static void a_nul_follows_at_every_length(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = {0};
    for (size_t i = 1; i <= 5000; i++) {
        buffer_append_char(&buffer, 'x');
        assert_int_equal(buffer.len, i);
        assert_true(buffer.capacity > i);
        assert_int_equal(buffer_text(&buffer)[i], '\0');
    }
    assert_int_equal(strlen(buffer_text(&buffer)), 5000);
}

static void reserved_room_does_not_count_until_len_says_so(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = {0};
    buffer_append_text(&buffer, "a");
    char *end = buffer_reserve(&buffer, 1000);
    assert_ptr_equal(end, buffer.data + 1);
    assert_true(buffer.capacity >= 1002);
    assert_string_equal(buffer_text(&buffer), "a");
    memset(end, 'b', 1000);
    end[1000] = '\0';
    buffer.len += 1000;
    assert_int_equal(strlen(buffer_text(&buffer)), 1001);
}

static void a_length_that_overflows_fails_for_good(void **state)
{
    (void)state;
    static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 4, SIZE_MAX / 2, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        cleanup_buffer struct buffer buffer = {0};
        buffer_append_text(&buffer, "kept");
        assert_null(buffer_reserve(&buffer, lengths[i]));
        assert_true(buffer.failed);
        assert_string_equal(buffer_text(&buffer), "kept");
        buffer_append_text(&buffer, " too");
        assert_string_equal(buffer_text(&buffer), "kept too");
        assert_true(buffer.failed);
        buffer_clear(&buffer);
        assert_true(buffer.failed);
    }
}

static void an_overlong_append_drops_everything_of_it(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = {0};
    buffer_append(&buffer, "x", SIZE_MAX);
    assert_true(buffer.failed);
    assert_int_equal(buffer.len, 0);
    assert_string_equal(buffer_text(&buffer), "");
}

static void clearing_keeps_the_memory(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = {0};
    buffer_append_text(&buffer, "abc");
    const char *data = buffer.data;
    buffer_clear(&buffer);
    assert_string_equal(buffer_text(&buffer), "");
    buffer_append_text(&buffer, "d");
    assert_ptr_equal(buffer.data, data);
    assert_string_equal(buffer_text(&buffer), "d");
}

static void a_freed_buffer_is_usable_again(void **state)
{
    (void)state;
    cleanup_buffer struct buffer buffer = {0};
    buffer_append_text(&buffer, "abc");
    buffer_deinit(&buffer);
    buffer_append_text(&buffer, "def");
    assert_string_equal(buffer_text(&buffer), "def");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_buffer_is_an_empty_text),
        cmocka_unit_test(what_is_appended_stands_in_a_row),
        cmocka_unit_test(nul_bytes_count_like_others),
        cmocka_unit_test(a_nul_follows_at_every_length),
        cmocka_unit_test(reserved_room_does_not_count_until_len_says_so),
        cmocka_unit_test(a_length_that_overflows_fails_for_good),
        cmocka_unit_test(an_overlong_append_drops_everything_of_it),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(a_freed_buffer_is_usable_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
