/* SPDX-License-Identifier: MIT */
#include "formats/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, unsigned base, bool is_number, uint64_t expected)
{
    uint64_t number = 77;
    assert_int_equal(number_parse(text, strlen(text), base, &number), is_number);
    assert_int_equal(number, is_number ? expected : 77);
}

static void whole_texts_of_digits_are_numbers(void **state)
{
    (void)state;
    check("0", 10, true, 0);
    check("0012", 10, true, 12);
    check("18446744073709551615", 10, true, UINT64_MAX);
    check("fF0a", 16, true, 0xff0a);
    check("ffffffffffffffff", 16, true, UINT64_MAX);
}

static void everything_else_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "a", "18446744073709551616", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check(texts[i], 10, false, 0);
    check("fg", 16, false, 0);
    check("10000000000000000", 16, false, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_texts_of_digits_are_numbers),
        cmocka_unit_test(everything_else_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
