/* SPDX-License-Identifier: MIT */
#include "python/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TABLE(...) (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__})

enum { FIRST_LINE = 10 };

static const enum line_format formats[] = {LINES_LNOTAB, LINES_LNOTAB_UNSIGNED, LINES_RANGES, LINES_LOCATIONS};

enum { FORMAT_COUNT = sizeof(formats) / sizeof(formats[0]) };

/* The line that a table of a code object whose first line is FIRST_LINE gives for an offset. */
static int32_t line_at(enum line_format format, const unsigned char *table, size_t len, int64_t offset)
{
    struct lines lines;
    assert_true(lines_init(&lines, format, table, len, FIRST_LINE));
    int32_t line = lines_find(&lines, offset);
    lines_deinit(&lines);
    return line;
}

/* Compares a whole table with the lines expected for offsets 0, 2, 4, ... */
static void check_lines(enum line_format format, const unsigned char *table, size_t len, const int32_t *expected,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(line_at(format, table, len, (int64_t)(2 * i)), expected[i]);
        assert_int_equal(line_at(format, table, len, (int64_t)(2 * i + 1)), expected[i]);
    }
}

/*
 * CPython 3.9 Objects/lnotab_notes.txt has this example: byte offsets 0, 6, 50, 350, 361 are lines 1, 2, 7, 207, 208;
 * steps that do not fit are split: (0,1), (6,1), (44,5), (255,0), (45,127), (0,73), (11,1).
 */
static void the_example_of_the_lnotab_notes_is_read_as_documented(void **state)
{
    (void)state;
    static const unsigned char table[] = {0, 1, 6, 1, 44, 5, 255, 0, 45, 127, 0, 73, 11, 1};
    static const struct {
        int offset, line;
    } rows[] = {{0, 1}, {5, 1}, {6, 2}, {49, 2}, {50, 7}, {305, 7}, {349, 7}, {350, 207}, {360, 207}, {361, 208}};
    struct lines lines;
    assert_true(lines_init(&lines, LINES_LNOTAB, table, sizeof(table), 0));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(lines_find(&lines, rows[i].offset), rows[i].line);
    lines_deinit(&lines);
}

static void an_lnotab_may_go_back(void **state)
{
    (void)state;
    static const int32_t expected[] = {10, 15, 12, 12, 11};
    check_lines(LINES_LNOTAB, TABLE(2, 5, 2, 0xfd, 4, 0xff), expected, 5);
}

/* CPython 2.7 Objects/codeobject.c: PyCode_Addr2Line() adds both bytes as they are, 128 to 255, too. */
static void an_lnotab_of_2_7_never_goes_back(void **state)
{
    (void)state;
    static const int32_t expected[] = {10, 15, 15 + 253, 15 + 253, 15 + 253 + 255 + 128};
    check_lines(LINES_LNOTAB_UNSIGNED, TABLE(2, 5, 2, 0xfd, 4, 0xff, 0, 0x80), expected, 5);
    struct lines lines;
    assert_true(lines_init(&lines, LINES_LNOTAB_UNSIGNED, (const unsigned char[]){2, 0xff}, 2, INT32_MAX));
    assert_int_equal(lines_find(&lines, 2), INT32_MAX);
    lines_deinit(&lines);
}

static void the_last_line_of_an_lnotab_reaches_to_the_end_of_the_code(void **state)
{
    (void)state;
    assert_int_equal(line_at(LINES_LNOTAB, TABLE(2, 1), 1000000), 11);
}

/*
 * CPython 3.10 Objects/lnotab_notes.txt: each entry is (length of the range in bytes, step of the line), the step of
 * the first counted from the first line; -128 marks a range without a line.
 */
static void ranges_of_3_10_have_lengths_and_steps(void **state)
{
    (void)state;
    static const int32_t expected[] = {10, 10, 10, 11, 14, 12};
    check_lines(LINES_RANGES, TABLE(6, 0, 2, 1, 2, 3, 2, 0xfe), expected, 6);
}

static void a_range_of_3_10_without_a_line_leaves_the_count_alone(void **state)
{
    (void)state;
    static const int32_t expected[] = {12, FIRST_LINE, 13};
    check_lines(LINES_RANGES, TABLE(2, 2, 2, 0x80, 2, 1), expected, 3);
}

static void an_empty_range_of_3_10_only_moves_the_line(void **state)
{
    (void)state;
    static const int32_t expected[] = {10 + 127 + 127, 10 + 127};
    check_lines(LINES_RANGES, TABLE(0, 127, 2, 127, 0, 0x81, 2, 0), expected, 2);
}

/*
 * CPython 3.11 Objects/locations.md. First byte: 0x80 | code << 3 | (units - 1). Codes 0 to 9: short, one more byte;
 * 10 to 12: line + 0 to 2, two more bytes; 13: no columns, signed varint; 14: long, signed varint and three varints;
 * 15: none.
 */
static void all_forms_of_locations_of_3_11_are_read(void **state)
{
    (void)state;
    static const unsigned char table[] = {
        0x80 | 0 << 3 | 1,  0x12,                /* 2 units: line 10 */
        0x80 | 9 << 3 | 0,  0x12,                /* 1 unit: line 10 */
        0x80 | 10 << 3 | 0, 4,    9,             /* line 10 */
        0x80 | 11 << 3 | 0, 4,    9,             /* line 11 */
        0x80 | 12 << 3 | 0, 4,    9,             /* line 13 */
        0x80 | 13 << 3 | 0, 0x07,                /* -3: line 10 */
        0x80 | 14 << 3 | 0, 0x48, 0x03, 1, 5, 9, /* 3 << 6 | 8 = 200, that is +100: line 110 */
        0x80 | 15 << 3 | 0,                      /* no line */
        0x80 | 10 << 3 | 0, 4,    9,             /* line 110 again */
    };
    static const int32_t expected[] = {10, 10, 10, 10, 11, 13, 10, 110, FIRST_LINE, 110};
    check_lines(LINES_LOCATIONS, table, sizeof(table), expected, 10);
}

static void a_step_of_several_varint_bytes_may_be_negative(void **state)
{
    (void)state;
    /* 2 * 5000 + 1 = 10001 = 2 << 12 | 28 << 6 | 17 */
    assert_int_equal(line_at(LINES_LOCATIONS, TABLE(0x80 | 13 << 3, 0x40 | 17, 0x40 | 28, 2), 0), 10 - 5000);
}

static void columns_that_are_missing_or_too_many_do_not_shift_the_next_entry(void **state)
{
    (void)state;
    static const int32_t expected[] = {11, 12, 13};
    check_lines(LINES_LOCATIONS, TABLE(0xd8, 0xd8, 1, 2, 3, 4, 5, 6, 0xd8, 1, 2), expected, 3);
}

static void a_frame_that_has_not_started_is_in_the_first_line(void **state)
{
    (void)state;
    assert_int_equal(line_at(LINES_LNOTAB, TABLE(0, 5, 2, 1), -1), FIRST_LINE);
    assert_int_equal(line_at(LINES_RANGES, TABLE(2, 5, 2, 1), -2), FIRST_LINE);
    assert_int_equal(line_at(LINES_LOCATIONS, TABLE(0xd8, 1, 2), -2), FIRST_LINE);
    assert_int_equal(line_at(LINES_LOCATIONS, TABLE(0xd8, 1, 2), INT64_MIN), FIRST_LINE);
}

static void an_empty_table_says_the_first_line_everywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        assert_int_equal(line_at(formats[i], (const unsigned char *)"", 0, 0), FIRST_LINE);
        assert_int_equal(line_at(formats[i], (const unsigned char *)"", 0, -1), FIRST_LINE);
        assert_int_equal(line_at(formats[i], (const unsigned char *)"", 0, INT64_MAX), FIRST_LINE);
    }
    struct lines zeroed = {0};
    lines_deinit(&zeroed);
}

static void half_a_pair_at_the_end_is_left_out(void **state)
{
    (void)state;
    static const int32_t expected[] = {11, 11};
    check_lines(LINES_LNOTAB, TABLE(0, 1, 2), expected, 2);
    check_lines(LINES_RANGES, TABLE(4, 1, 2), expected, 2);
    check_lines(LINES_LNOTAB, TABLE(2), (const int32_t[]){10, 10}, 2);
    check_lines(LINES_RANGES, TABLE(2), (const int32_t[]){10, 10}, 2);
}

static void a_varint_that_does_not_end_stops_at_the_table_or_the_next_entry(void **state)
{
    (void)state;
    unsigned char table[4000];
    memset(table, 0x7f, sizeof(table));
    table[0] = 0x80 | 13 << 3;
    line_at(LINES_LOCATIONS, table, sizeof(table), 0);
    line_at(LINES_LOCATIONS, table, 1, 0);
    table[100] = 0x80 | 10 << 3;
    line_at(LINES_LOCATIONS, table, 101, 2);
    /* The step is cut off by an entry of line + 1: 17 << 0 is odd, that is -8. */
    static const int32_t expected[] = {2, 3};
    check_lines(LINES_LOCATIONS, TABLE(0x80 | 13 << 3, 0x40 | 17, 0xd8, 1, 2), expected, 2);
}

static void lines_stay_within_an_int(void **state)
{
    (void)state;
    static const unsigned char up[] = {0x80 | 13 << 3, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f};
    static const unsigned char down[] = {0x80 | 13 << 3, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f};
    assert_int_equal(line_at(LINES_LOCATIONS, up, sizeof(up), 0), INT32_MAX);
    assert_int_equal(line_at(LINES_LOCATIONS, down, sizeof(down), 0), INT32_MIN);
    static const int32_t firsts[] = {INT32_MAX, INT32_MIN};
    static const unsigned char tables[][4] = {{2, 127, 2, 127}, {2, 0x81, 2, 0x81}};
    for (size_t i = 0; i < 2; i++) {
        static const enum line_format signed_formats[] = {LINES_LNOTAB, LINES_RANGES};
        for (size_t format = 0; format < 2; format++) {
            struct lines lines;
            assert_true(lines_init(&lines, signed_formats[format], tables[i], 4, firsts[i]));
            assert_int_equal(lines_find(&lines, 3), firsts[i]);
            lines_deinit(&lines);
        }
    }
}

static void ten_megabytes_of_garbage_do_no_harm(void **state)
{
    (void)state;
    enum { LEN = 10 * 1024 * 1024 };
    unsigned char *table = malloc(LEN);
    uint32_t seed = 7;
    for (size_t i = 0; i < LEN; i++) {
        seed = seed * 1664525 + 1013904223;
        table[i] = (unsigned char)(seed >> 24);
    }
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        struct lines lines;
        assert_true(lines_init(&lines, formats[i], table, LEN, FIRST_LINE));
        uint32_t ordered = 1;
        while (ordered < lines.count && lines.ranges[ordered - 1].start < lines.ranges[ordered].start)
            ordered++;
        assert_int_equal(ordered, lines.count);
        lines_find(&lines, UINT32_MAX);
        lines_find(&lines, INT64_MAX);
        lines_deinit(&lines);
    }
    free(table);
}

static void neighbours_with_the_same_line_become_one_range(void **state)
{
    (void)state;
    struct lines lines;
    unsigned char table[300];
    for (size_t i = 0; i < sizeof(table); i += 3)
        memcpy(table + i, "\xd0\x01\x02", 3);
    assert_true(lines_init(&lines, LINES_LOCATIONS, table, sizeof(table), FIRST_LINE));
    assert_int_equal(lines.count, 2); /* the other one is the end */
    lines_deinit(&lines);
}

static void an_instruction_beyond_the_last_range_is_in_the_first_line(void **state)
{
    (void)state;
    assert_int_equal(line_at(LINES_RANGES, TABLE(2, 1, 2, 1), 3), 12);
    assert_int_equal(line_at(LINES_RANGES, TABLE(2, 1, 2, 1), 4), FIRST_LINE);
    assert_int_equal(line_at(LINES_LOCATIONS, TABLE(0xd8, 1, 2), 2), FIRST_LINE);
    assert_int_equal(line_at(LINES_LOCATIONS, TABLE(0xd8, 1, 2), INT64_MAX), FIRST_LINE);
}

/* More lines than any function has: what is kept of them is bounded, and behind that no line is known. */
static void more_ranges_than_the_limit_are_left_out(void **state)
{
    enum { RANGE_LIMIT = 1 << 21, PAIRS = RANGE_LIMIT + 1000 };
    (void)state;
    unsigned char *table = malloc(2 * PAIRS);
    assert_non_null(table);
    memset(table, 1, 2 * PAIRS);
    struct lines lines;
    assert_true(lines_init(&lines, LINES_LNOTAB, table, 2 * PAIRS, FIRST_LINE));
    assert_int_equal(lines.count, RANGE_LIMIT);
    assert_int_equal(lines_find(&lines, RANGE_LIMIT - 2), FIRST_LINE + RANGE_LIMIT - 2);
    assert_int_equal(lines_find(&lines, RANGE_LIMIT - 1), FIRST_LINE);
    assert_int_equal(lines_find(&lines, PAIRS), FIRST_LINE);
    lines_deinit(&lines);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_lnotab_notes_is_read_as_documented),
        cmocka_unit_test(an_lnotab_may_go_back),
        cmocka_unit_test(an_lnotab_of_2_7_never_goes_back),
        cmocka_unit_test(the_last_line_of_an_lnotab_reaches_to_the_end_of_the_code),
        cmocka_unit_test(ranges_of_3_10_have_lengths_and_steps),
        cmocka_unit_test(a_range_of_3_10_without_a_line_leaves_the_count_alone),
        cmocka_unit_test(an_empty_range_of_3_10_only_moves_the_line),
        cmocka_unit_test(all_forms_of_locations_of_3_11_are_read),
        cmocka_unit_test(a_step_of_several_varint_bytes_may_be_negative),
        cmocka_unit_test(columns_that_are_missing_or_too_many_do_not_shift_the_next_entry),
        cmocka_unit_test(a_frame_that_has_not_started_is_in_the_first_line),
        cmocka_unit_test(an_empty_table_says_the_first_line_everywhere),
        cmocka_unit_test(half_a_pair_at_the_end_is_left_out),
        cmocka_unit_test(a_varint_that_does_not_end_stops_at_the_table_or_the_next_entry),
        cmocka_unit_test(lines_stay_within_an_int),
        cmocka_unit_test(more_ranges_than_the_limit_are_left_out),
        cmocka_unit_test(ten_megabytes_of_garbage_do_no_harm),
        cmocka_unit_test(neighbours_with_the_same_line_become_one_range),
        cmocka_unit_test(an_instruction_beyond_the_last_range_is_in_the_first_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
