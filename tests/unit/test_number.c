/* SPDX-License-Identifier: MIT */
#include "python/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check_float(double number, const char *expected)
{
    char text[NUMBER_TEXT_LEN];
    number_write_float(number, NUMBER_DOUBLE, true, text);
    assert_string_equal(text, expected);
}

/* What CPython 3.13 says. */
static void a_double_has_the_fewest_digits_that_read_back(void **state)
{
    (void)state;
    check_float(0.0, "0.0");
    check_float(-0.0, "-0.0");
    check_float(1.0, "1.0");
    check_float(-1.5, "-1.5");
    check_float(0.1, "0.1");
    check_float(1.0 / 3, "0.3333333333333333");
    check_float(100.0, "100.0");
    check_float(0.0001, "0.0001");
    check_float(0.00001, "1e-05");
    check_float(0.00012, "0.00012");
    check_float(1e15, "1000000000000000.0");
    check_float(9999999999999998.0, "9999999999999998.0");
    check_float(1e16, "1e+16");
    check_float(12345678901234567890.0, "1.2345678901234567e+19");
    check_float(1e22, "1e+22");
    check_float(1e23, "1e+23");
    check_float(1.7976931348623157e308, "1.7976931348623157e+308");
    check_float(2.2250738585072014e-308, "2.2250738585072014e-308");
    check_float(5e-324, "5e-324");
    check_float((double)INFINITY, "inf");
    check_float(-(double)INFINITY, "-inf");
    check_float((double)NAN, "nan");
}

/* Of so many digits the nearest to a power of two can be another number's, and the next one right. */
static void powers_of_two_have_their_fewest_digits_too(void **state)
{
    (void)state;
    check_float(0x1p-44, "5.684341886080802e-14");
    check_float(0x1p-1022, "2.2250738585072014e-308");
    check_float(0x1p53, "9007199254740992.0");
    check_float(0x1p1023, "8.98846567431158e+307");
}

static void parts_of_a_complex_number_have_no_point(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_LEN];
    number_write_float(100, NUMBER_DOUBLE, false, text);
    assert_string_equal(text, "100");
    number_write_float(-0.5, NUMBER_DOUBLE, false, text);
    assert_string_equal(text, "-0.5");
}

/* What NumPy 1.24 says. */
static void smaller_floats_have_fewer_digits(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_LEN];
    static const struct {
        double number;
        enum number_precision precision;
        const char *expected;
    } rows[] = {
        {(double)0.1F, NUMBER_SINGLE, "0.1"},
        {(double)1e-4F, NUMBER_SINGLE, "1e-04"},
        {(double)16777216.0F, NUMBER_SINGLE, "16777216.0"},
        {(double)3.4028235e38F, NUMBER_SINGLE, "3.4028235e+38"},
        {0.0999755859375, NUMBER_HALF, "0.1"},
        {65504, NUMBER_HALF, "65500.0"},
        {0x1p-24, NUMBER_HALF, "6e-08"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        number_write_float(rows[i].number, rows[i].precision, true, text);
        assert_string_equal(text, rows[i].expected);
    }
}

static void halves_are_decoded(void **state)
{
    (void)state;
    assert_true(number_of_half(0x3c00) == 1);
    assert_true(number_of_half(0xc000) == -2);
    assert_true(number_of_half(0x7bff) == 65504);
    assert_true(number_of_half(0x0001) == 0x1p-24);
    assert_true(number_of_half(0x2e66) == 0.0999755859375);
    assert_true(isinf(number_of_half(0x7c00)));
    assert_true(isnan(number_of_half(0x7e00)));
}

static void ints_are_written_exactly(void **state)
{
    (void)state;
    char text[NUMBER_DECIMAL_LIMIT];
    static const struct {
        uint32_t digits[4];
        size_t count;
        bool is_negative;
        const char *expected;
    } rows[] = {
        {{0}, 0, false, "0"},
        {{7}, 1, true, "-7"},
        {{0x3fffffff}, 1, false, "1073741823"},
        {{0, 1}, 2, false, "1073741824"},
        {{1, 0, 16}, 3, false, "18446744073709551617"},
        {{0x3fffffff, 0x3fffffff, 0x3fffffff, 0x3fffffff}, 4, true, "-1329227995784915872903807060280344575"},
        /* Bits that no digit has do not count. */
        {{UINT32_MAX}, 1, false, "1073741823"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        number_write_integer(rows[i].digits, rows[i].count, rows[i].is_negative, text);
        assert_string_equal(text, rows[i].expected);
    }
}

static void the_largest_int_has_room(void **state)
{
    (void)state;
    static uint32_t digits[NUMBER_DIGITS_LIMIT];
    char text[NUMBER_DECIMAL_LIMIT];
    memset(digits, 0xff, sizeof(digits));
    number_write_integer(digits, NUMBER_DIGITS_LIMIT, true, text);
    assert_int_equal(strlen(text), 1 + 4308);
    assert_int_equal(strspn(text + 1, "0123456789"), 4308);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_double_has_the_fewest_digits_that_read_back),
        cmocka_unit_test(powers_of_two_have_their_fewest_digits_too),
        cmocka_unit_test(parts_of_a_complex_number_have_no_point),
        cmocka_unit_test(smaller_floats_have_fewer_digits),
        cmocka_unit_test(halves_are_decoded),
        cmocka_unit_test(ints_are_written_exactly),
        cmocka_unit_test(the_largest_int_has_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
