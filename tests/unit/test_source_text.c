/* SPDX-License-Identifier: MIT */
#include "sampler/source_text.h"

#include "profile/process_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINES_OF_DECORATORS = 256 };

static bool init(struct source_text *text, const char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    memcpy(copy, bytes, len);
    return source_text_init(text, copy, len);
}

static void check_lines(const char *bytes, const char *const *expected, uint32_t count)
{
    struct source_text text;
    assert_true(init(&text, bytes, strlen(bytes)));
    assert_int_equal(text.count, count);
    for (uint32_t i = 0; i < count; i++) {
        size_t len;
        const char *line = source_text_line(&text, i + 1, &len);
        assert_int_equal(len, strlen(expected[i]));
        assert_memory_equal(line, expected[i], len);
    }
    size_t len;
    assert_null(source_text_line(&text, 0, &len));
    assert_null(source_text_line(&text, -1, &len));
    assert_null(source_text_line(&text, (int64_t)count + 1, &len));
    assert_null(source_text_line(&text, INT64_MAX, &len));
    source_text_deinit(&text);
    source_text_deinit(&text);
}

static void lines_end_as_python_ends_them(void **state)
{
    (void)state;
    check_lines("", NULL, 0);
    check_lines("a", (const char *[]){"a"}, 1);
    check_lines("a\n", (const char *[]){"a"}, 1);
    check_lines("\n\nb", (const char *[]){"", "", "b"}, 3);
    check_lines("a\r\nb\rc\n\rd", (const char *[]){"a", "b", "c", "", "d"}, 5);
    check_lines("a\fb\vc\n", (const char *[]){"a\fb\vc"}, 1);
    check_lines("\xef\xbb\xbf"
                "a\nb\r\n",
                (const char *[]){"a", "b"}, 2);
    check_lines("\xef\xbb\xbf", NULL, 0);
}

static void what_is_not_utf8_is_no_source(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "\xff",         "a\xc3", "\xc0\x80",         "\xe2\x82", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xf0\x80\x80\x80",
        "\xe0\x80\x80", "\x80",  "\xf4\x90\x80\x80", "caf\xe9\n"};
    struct source_text text;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_false(init(&text, broken[i], strlen(broken[i])));
    assert_false(init(&text, "a\0b", 3));
    assert_true(init(&text, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9));
    source_text_deinit(&text);
}

static bool fits(const char *bytes, const char *name, struct dump_frame frame)
{
    struct source_text text;
    frame.name = (struct dump_text){(char *)name, strlen(name)};
    assert_true(init(&text, bytes, strlen(bytes)));
    bool is_fit = source_text_fits(&text, &frame);
    source_text_deinit(&text);
    return is_fit;
}

static const struct dump_frame in_line_2 = {.line = 2, .first_line = 1, .column = -1, .end_column = -1};

static void a_function_begins_where_its_name_is_defined(void **state)
{
    (void)state;
    static const struct {
        const char *source, *name;
        bool is_fit;
    } rows[] = {
        {"def f():\n 1", "f", true},
        {"  def f():\n 1", "A.B.f", true},
        {"\tasync  def\tf ():\n 1", "g.<locals>.f", true},
        {"class f(x):\n 1", "f", true},
        {"type f = \\\n 1", "f", true},
        {"def f[T]():\n 1", "f", true},
        {"def g():\n 1", "f", false},
        {"def ff():\n 1", "f", false},
        {"def f1():\n 1", "f", false},
        {"def f\xc3\xa9():\n 1", "f", false},
        {"def f\n 1", "f", true},
        {"deff():\n 1", "f", false},
        {"x = 1\n 1", "f", false},
        {"\n 1", "f", false},
        {"# def f():\n 1", "f", false},
        {"x = 1\n def f(): 1", "f", false},
        {"@x(\n 1)\n# def g()\ndef f():\n 1", "f", true},
        {"@x(\n 1)\ndef g():\n 1", "f", false},
        {"@x(\n 1)\n", "f", false},
        {"x(lambda:\n 1)", "<lambda>", true},
        {"x(lambda:\n 1)", "f.<locals>.<lambda>", true},
        {"x(\n 1)", "<lambda>", false},
        {"[\n 1]", "<listcomp>", true},
        {"\n 1", "<module>", true},
        {"def \xef\xac\x81():\n 1", "\xef\xac\x81", true},
        {"def fi():\n 1", "\xef\xac\x81", true},
        {"fi():\n 1", "\xef\xac\x81", false},
        {"def f():\n 1", "", false},
        {"def f():\n 1", "f.", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(fits(rows[i].source, rows[i].name, in_line_2), rows[i].is_fit);
}

static void decorators_end_somewhere(void **state)
{
    (void)state;
    char source[2 * LINES_OF_DECORATORS + 32];
    for (int count = LINES_OF_DECORATORS - 1; count <= LINES_OF_DECORATORS; count++) {
        for (int i = 0; i < count; i++)
            memcpy(source + 2 * i, "@\n", 2);
        memcpy(source + 2 * count, "def f(): 1", sizeof("def f(): 1"));
        assert_int_equal(fits(source, "f", in_line_2), count < LINES_OF_DECORATORS);
    }
}

static void a_line_without_code_is_not_executed(void **state)
{
    (void)state;
    assert_false(fits("1", "<module>", in_line_2));
    assert_false(fits("1\n", "<module>", in_line_2));
    assert_false(fits("1\n \t\f", "<module>", in_line_2));
    assert_false(fits("1\n  # 2", "<module>", in_line_2));
    assert_true(fits("1\n  2 # 3", "<module>", in_line_2));
    struct dump_frame frame = in_line_2;
    for (int32_t line = -1; line < 2; line += 2) {
        frame.first_line = line > 0 ? 3 : line;
        assert_false(fits("def f():\n 2", "f", frame));
        frame.first_line = line > 0 ? INT32_MAX : INT32_MIN;
        assert_false(fits("def f():\n 2", "f", frame));
        frame.line = frame.first_line;
        assert_false(fits("def f():\n 2", "<module>", frame));
        frame.line = 2;
    }
}

static void an_expression_begins_and_ends_with_words(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        int32_t end_line, column, end_column;
        bool is_fit;
    } rows[] = {
        {"1\n  ab(cd)", 2, 2, 8, true},
        {"1\n  ab(cd)", 2, 2, 4, true},
        {"1\n  ab(cd)", 2, 5, 7, true},
        {"1\n  ab(cd)", 2, 0, 0, true},
        {"1\n  ab(cd)", 2, 3, 8, false},
        {"1\n  ab(cd)", 2, 2, 3, false},
        {"1\n  ab(cd)", 2, 1, 8, false},
        {"1\n  ab(cd)", 2, 2, 9, false},
        {"1\n  ab(cd)", 2, 9, 9, false},
        {"1\n  ab(cd)", 2, 4, 2, false},
        {"1\n  ab(cd)", 1, 2, 1, false},
        {"1\n  ab(cd)", 3, 2, 1, false},
        {"1\n  ab(cd)", 2, 2, INT32_MAX, false},
        {"1\n  ab(cd)", 2, INT32_MAX, INT32_MAX, false},
        {"1\n  ab(cd)", INT32_MAX, 2, 8, false},
        {"1\na b", 2, 0, 2, false},
        {"1\na b", 2, 1, 3, false},
        {"1\na(\nb)", 3, 0, 2, true},
        {"1\na(\n b)", 3, 0, 1, false},
        {"1\na(\n", 3, 0, 0, false},
        {"1\n\xc3\xa9()", 2, 0, 2, true},
        {"1\n\xc3\xa9()", 2, 0, 1, false},
        {"1\n\xc3\xa9()", 2, 1, 4, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dump_frame frame = in_line_2;
        frame.end_line = rows[i].end_line;
        frame.column = rows[i].column;
        frame.end_column = rows[i].end_column;
        assert_int_equal(fits(rows[i].source, "<module>", frame), rows[i].is_fit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_as_python_ends_them),
        cmocka_unit_test(what_is_not_utf8_is_no_source),
        cmocka_unit_test(a_function_begins_where_its_name_is_defined),
        cmocka_unit_test(decorators_end_somewhere),
        cmocka_unit_test(a_line_without_code_is_not_executed),
        cmocka_unit_test(an_expression_begins_and_ends_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
