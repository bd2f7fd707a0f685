/* SPDX-License-Identifier: MIT */
#include "formats/source_line.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *line, size_t start, size_t end, const char *expected)
{
    struct buffer out = {0};
    source_line_append(&out, "> ", line, strlen(line), start, end);
    assert_string_equal(buffer_text(&out), expected);
    buffer_deinit(&out);
}

static void a_piece_of_a_line_is_underlined(void **state)
{
    (void)state;
    check("x = f(y)", 4, 8, "> x = f(y)\n>     ^^^^\n");
    check("    x = f(y)  ", 8, 12, "> x = f(y)\n>     ^^^^\n");
    check("x = f(y)", 0, 1, "> x = f(y)\n> ^\n");
}

static void without_a_piece_or_with_a_whole_line_there_are_no_marks(void **state)
{
    (void)state;
    check("  f(y)", 0, 0, "> f(y)\n");
    check("  f(y)", 2, 6, "> f(y)\n");
    check("\tf(y) \r", 0, 7, "> f(y)\n");
    check("  f(y)", 4, 4, "> f(y)\n");
    check("  f(y)", 5, 3, "> f(y)\n");
    check("", 0, 0, "> \n");
}

static void a_piece_beyond_the_line_ends_with_it(void **state)
{
    (void)state;
    check("a bc", 2, 99, "> a bc\n>   ^^\n");
    check("a bc", 50, 99, "> a bc\n");
    check("a bc", SIZE_MAX, SIZE_MAX, "> a bc\n");
    check("a bc  ", 5, 6, "> a bc\n");
}

static void marks_stand_under_characters_of_any_width(void **state)
{
    (void)state;
    check("\xc3\xa9 = f\xc3\xa9()", 5, 10, "> \xc3\xa9 = f\xc3\xa9()\n>     ^^^^\n");
    check("\xe5\x90\x8d = f('\xe5\xad\x97')", 6, 14, "> \xe5\x90\x8d = f('\xe5\xad\x97')\n>      ^^^^^^^\n");
    check("e\xcc\x81 = f", 6, 7, "> e\xcc\x81 = f\n>     ^\n");
    check("\xf0\x9f\x98\x80+b", 5, 6, "> \xf0\x9f\x98\x80+b\n>    ^\n");
    check("a\tb = c\td", 6, 9, "> a    b = c    d\n>          ^^^^^^\n");
}

static void hostile_characters_are_spelt_and_still_lined_up(void **state)
{
    (void)state;
    check("'\x1b[31m' + x", 10, 11, "> '\\x1b[31m' + x\n>              ^\n");
    check("'\x1b[31m' + x", 0, 7, "> '\\x1b[31m' + x\n> ^^^^^^^^^^\n");
    check("\xe2\x80\xae+x", 4, 5, "> \\u{202e}+x\n>          ^\n");
    check("\xff+x", 2, 3, "> \\xff+x\n>      ^\n");
    check("a\rb+c", 4, 5, "> a\\x0db+c\n>        ^\n");
}

/* The columns of the first and the second line of what is shown, and where the marks are. */
static void check_long(size_t len, size_t start, size_t end, bool has_lead, bool has_tail, size_t marks)
{
    struct buffer out = {0};
    char line[4096];
    memset(line, '.', len);
    memset(line + start, 'x', end - start);
    source_line_append(&out, "", line, len, start, end);
    const char *marked = strchr(buffer_text(&out), '\n') + 1;
    size_t shown_len = (size_t)(marked - 1 - out.data), before = strspn(marked, " ");
    size_t columns = utf8_text_columns(out.data, shown_len);
    assert_true(columns <= SOURCE_COLUMN_LIMIT);
    assert_int_equal(memcmp(out.data, "\xe2\x80\xa6", 3) == 0, has_lead);
    assert_int_equal(memcmp(marked - 4, "\xe2\x80\xa6", 3) == 0, has_tail);
    assert_int_equal(strspn(marked + before, "^"), marks);
    size_t first_x = (size_t)(strchr(out.data, 'x') - out.data) - (has_lead ? 2 : 0);
    assert_int_equal(before, first_x);
    buffer_deinit(&out);
}

static void of_a_long_line_the_part_around_the_piece_is_shown(void **state)
{
    (void)state;
    check_long(200, 100, 110, false, false, 10);
    check_long(201, 10, 20, false, true, 10);
    check_long(201, 100, 110, true, false, 10);
    check_long(1000, 60, 70, false, true, 10);
    check_long(1000, 61, 71, true, true, 10);
    check_long(4000, 3990, 4000, true, false, 10);
    check_long(4000, 2000, 2001, true, true, 1);
    check_long(4000, 2000, 3000, true, true, 138);
    check_long(4000, 0, 3000, false, true, 199);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_of_a_line_is_underlined),
        cmocka_unit_test(without_a_piece_or_with_a_whole_line_there_are_no_marks),
        cmocka_unit_test(a_piece_beyond_the_line_ends_with_it),
        cmocka_unit_test(marks_stand_under_characters_of_any_width),
        cmocka_unit_test(hostile_characters_are_spelt_and_still_lined_up),
        cmocka_unit_test(of_a_long_line_the_part_around_the_piece_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
