/* SPDX-License-Identifier: MIT */
#include "python/locations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TABLE(...) (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__})

enum { FIRST_LINE = 10, NONE = PYTHON_NO_COLUMN };

static void check_position(const unsigned char *table, size_t len, int64_t offset, struct python_position expected)
{
    struct python_position position;
    assert_true(position_find(table, len, FIRST_LINE, offset, &position));
    assert_int_equal(position.line, expected.line);
    assert_int_equal(position.end_line, expected.end_line);
    assert_int_equal(position.column, expected.column);
    assert_int_equal(position.end_column, expected.end_column);
}

/* CPython 3.11 Objects/locations.md. First byte: 0x80 | kind << 3 | (units - 1). */
static void every_kind_of_entry_has_its_columns(void **state)
{
    (void)state;
    static const unsigned char table[] = {
        0x80 | 0 << 3 | 1,  0x12,                         /* 2 units: column 0 * 8 + 1, 2 wide */
        0x80 | 9 << 3 | 0,  0x7f,                         /* column 9 * 8 + 7, 15 wide */
        0x80 | 10 << 3 | 0, 4,    127,                    /* the same line */
        0x80 | 12 << 3 | 0, 4,    9,                      /* two lines on */
        0x80 | 13 << 3 | 0, 0x07,                         /* -3, no columns */
        0x80 | 14 << 3 | 0, 0x48, 0x03, 2, 6, 0x41, 0x02, /* +100, 2 lines long, columns 5 and 129 - 1 */
        0x80 | 14 << 3 | 0, 0,    0,    0, 0,             /* no columns */
        0x80 | 15 << 3 | 0,                               /* none */
        0x80 | 11 << 3 | 0, 1,    2,                      /* counts from the last line there was */
    };
    check_position(table, sizeof(table), 0, (struct python_position){10, 10, 1, 3});
    check_position(table, sizeof(table), 3, (struct python_position){10, 10, 1, 3});
    check_position(table, sizeof(table), 4, (struct python_position){10, 10, 79, 94});
    check_position(table, sizeof(table), 6, (struct python_position){10, 10, 4, 127});
    check_position(table, sizeof(table), 8, (struct python_position){12, 12, 4, 9});
    check_position(table, sizeof(table), 10, (struct python_position){9, 9, NONE, NONE});
    check_position(table, sizeof(table), 12, (struct python_position){109, 111, 5, 128});
    check_position(table, sizeof(table), 14, (struct python_position){109, 109, NONE, NONE});
    struct python_position position;
    assert_false(position_find(table, sizeof(table), FIRST_LINE, 16, &position));
    check_position(table, sizeof(table), 18, (struct python_position){110, 110, 1, 2});
}

static void there_is_no_position_outside_of_the_code(void **state)
{
    (void)state;
    static const int64_t offsets[] = {-1, -2, INT64_MIN, 2, 4, INT64_MAX};
    struct python_position position = {.line = 77};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
        assert_false(position_find(TABLE(0xd0, 1, 2), FIRST_LINE, offsets[i], &position));
    assert_false(position_find((const unsigned char *)"", 0, FIRST_LINE, 0, &position));
    assert_int_equal(position.line, 77);
}

static void what_a_cut_entry_lacks_is_nought(void **state)
{
    (void)state;
    check_position(TABLE(0x80 | 5 << 3), 0, (struct python_position){10, 10, 40, 40});
    check_position(TABLE(0x80 | 10 << 3, 7), 0, (struct python_position){10, 10, 7, 0});
    check_position(TABLE(0x80 | 10 << 3, 0x80 | 10 << 3, 1, 2), 0, (struct python_position){10, 10, 0, 0});
    check_position(TABLE(0x80 | 10 << 3, 0x80 | 10 << 3, 1, 2), 2, (struct python_position){10, 10, 1, 2});
    check_position(TABLE(0x80 | 14 << 3, 2), 0, (struct python_position){11, 11, NONE, NONE});
}

static void numbers_that_are_too_large_stay_within_an_int(void **state)
{
    (void)state;
    static const unsigned char largest[] = {0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f};
    unsigned char table[1 + 4 * sizeof(largest)] = {0x80 | 14 << 3};
    for (int i = 0; i < 4; i++)
        memcpy(table + 1 + i * sizeof(largest), largest, sizeof(largest));
    check_position(table, sizeof(table), 0, (struct python_position){INT32_MIN, INT32_MAX, INT32_MAX, INT32_MAX});
}

static void there_need_not_be_a_table(void **state)
{
    struct python_position position;
    (void)state;
    assert_false(position_find(NULL, 0, 10, 0, &position));
}

static void any_bytes_can_be_read(void **state)
{
    (void)state;
    unsigned char table[257];
    struct python_position position;
    for (unsigned seed = 0; seed < 2000; seed++) {
        uint32_t number = seed * 2654435761U + 1;
        for (size_t i = 0; i < sizeof(table); i++, number = number * 1664525U + 1013904223U)
            table[i] = (unsigned char)(number >> 24);
        for (size_t len = 0; len < sizeof(table); len += 32)
            position_find(table, len, INT32_MAX - (int32_t)seed, seed, &position);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_entry_has_its_columns),
        cmocka_unit_test(there_is_no_position_outside_of_the_code),
        cmocka_unit_test(what_a_cut_entry_lacks_is_nought),
        cmocka_unit_test(numbers_that_are_too_large_stay_within_an_int),
        cmocka_unit_test(there_need_not_be_a_table),
        cmocka_unit_test(any_bytes_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
