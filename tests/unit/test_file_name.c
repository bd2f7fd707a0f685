/* SPDX-License-Identifier: MIT */
#include "cli/file_name.h"

#include "base/buffer.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_name(const char *pattern, const char *expected)
{
    cleanup_buffer struct buffer name = {0};
    const struct file_name_facts facts = {.pid = 1234, .number = 7};
    file_name_append(&name, pattern, &facts);
    assert_string_equal(buffer_text(&name), expected);
}

static void it_fills_in_numbers(void **state)
{
    (void)state;
    assert_name("flame-%p-%n.svg", "flame-1234-7.svg");
    assert_name("%p%p", "12341234");
    assert_name("plain.svg", "plain.svg");
    assert_name("", "");
}

static void it_leaves_other_percent_signs_alone(void **state)
{
    (void)state;
    assert_name("100%.svg", "100%.svg");
    assert_name("%", "%");
    assert_name("%x%P% n", "%x%P% n");
    assert_name("%%p", "%p");
    assert_name("%%%p", "%1234");
}

static void it_fills_in_the_host(void **state)
{
    (void)state;
    char host[HOST_NAME_MAX + 1] = "", expected[HOST_NAME_MAX + 8];
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    snprintf(expected, sizeof(expected), "a-%s.txt", host);
    assert_name("a-%h.txt", expected);
}

static void it_fills_in_the_time_without_colons(void **state)
{
    (void)state;
    cleanup_buffer struct buffer name = {0};
    const struct file_name_facts facts = {.pid = 1};
    file_name_append(&name, "%t", &facts);
    static const char shape[] = "dddd-dd-ddTdd-dd-dd";
    assert_int_equal(name.len, strlen(shape));
    for (size_t i = 0; i < name.len; i++) {
        char c = buffer_text(&name)[i];
        assert_true(shape[i] == 'd' ? c >= '0' && c <= '9' : c == shape[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_fills_in_numbers),
        cmocka_unit_test(it_leaves_other_percent_signs_alone),
        cmocka_unit_test(it_fills_in_the_host),
        cmocka_unit_test(it_fills_in_the_time_without_colons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
