/* SPDX-License-Identifier: MIT */
#include "base/escape.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef void (*sanitizer)(struct buffer *out, const char *text, size_t len);

static void assert_escaped(sanitizer escape, const char *text, size_t len, const char *expected)
{
    cleanup_buffer struct buffer out = {0};
    /* An exact copy, so that AddressSanitizer sees reading behind the end. */
    char *copy = malloc(len + 1);
    memcpy(copy, text, len);
    char *exact = realloc(copy, len ? len : 1);
    escape(&out, exact, len);
    free(exact);
    assert_string_equal(buffer_text(&out), expected);
    assert_int_equal(out.len, strlen(expected));
    assert_false(out.failed);
}

#define assert_escapes(escape, text, expected) assert_escaped(escape, text, sizeof(text) - 1, expected)

static void plain_text_stays(void **state)
{
    (void)state;
    const char text[] = "naïve_名前.<locals> {}[]";
    assert_escapes(escape_visible, text, text);
    assert_escapes(escape_visible, "", "");
    assert_escapes(escape_xml, "", "");
    assert_escapes(escape_json, "", "\"\"");
    cleanup_buffer struct buffer out = {0};
    escape_visible(&out, NULL, 0);
    assert_string_equal(buffer_text(&out), "");
}

static void broken_utf8_is_shown_in_every_sink(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a\xff", "a\\xff"},                          /* never a UTF-8 byte */
        {"\xc3", "\\xc3"},                            /* cut short at the end */
        {"\xe4\xbd", "\\xe4\\xbd"},                   /* cut short at the end */
        {"\xe4\xbdx", "\\xe4\\xbdx"},                 /* cut short inside */
        {"\x80", "\\x80"},                            /* following byte alone */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong slash */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong slash */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
        {"\xed\xb2\x80", "\\udc80"},                  /* lone surrogate */
        {"\xed\xa0\x80\xed\xb0\x80", "\\ud800\\udc00"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = cases[i].text;
        assert_escaped(escape_visible, text, strlen(text), cases[i].expected);
        assert_escaped(escape_xml, text, strlen(text), cases[i].expected);
        assert_escaped(escape_collapsed, text, strlen(text), cases[i].expected);
    }
    assert_escapes(escape_json, "\xff\xed\xb2\x80", "\"\\\\xff\\\\udc80\"");
}

static void controls_are_made_visible(void **state)
{
    (void)state;
    assert_escapes(escape_visible, "\x1b[31mred\x07\0nul\t\n\r\x7f", "\\x1b[31mred\\x07\\x00nul\\x09\\x0a\\x0d\\x7f");
    assert_escapes(escape_visible,
                   "\xc2\x9b"
                   "31m",
                   "\\x9b31m"); /* C1: CSI in one character */
    assert_escapes(escape_visible,
                   "\xe2\x80\xae"
                   "evil\xe2\x81\xa9",
                   "\\u{202e}evil\\u{2069}");
    assert_escapes(escape_visible, "\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf", "\\u{2028}\\u{2029}\\u{feff}");
    assert_escapes(escape_visible, "\xf3\xa0\x81\x81", "\\u{e0041}");
}

static void xml_has_no_markup_and_no_illegal_character(void **state)
{
    (void)state;
    assert_escapes(escape_xml, "<a b=\"c\" d='e'>&amp;]]>", "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;]]&gt;");
    assert_escapes(escape_xml, "\0\x01\x1b\x1f", "\\x00\\x01\\x1b\\x1f");
    assert_escapes(escape_xml, "\t\n\r", "&#x9;&#xa;&#xd;");
    assert_escapes(escape_xml, "\xef\xbf\xbe\xef\xbf\xbf", "\\u{fffe}\\u{ffff}");
    assert_escapes(escape_xml, "\xef\xbf\xbd\xf0\x9f\x98\x80", "\xef\xbf\xbd\xf0\x9f\x98\x80");
}

static void json_is_strict_and_inert_in_scripts(void **state)
{
    (void)state;
    assert_escapes(escape_json, "\"\\/", "\"\\\"\\\\/\"");
    assert_escapes(escape_json, "\0\n\x1b\x7f", "\"\\u0000\\u000a\\u001b\\u007f\"");
    assert_escapes(escape_json, "</script><!--&]]>", "\"\\u003c/script\\u003e\\u003c!--\\u0026]]\\u003e\"");
    assert_escapes(escape_json, "\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"");
    assert_escapes(escape_json, "\xef\xbf\xbf", "\"\\uffff\"");
    assert_escapes(escape_json, "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
}

static void collapsed_names_keep_to_the_format(void **state)
{
    (void)state;
    assert_escapes(escape_collapsed, "a;b;", "a:b:");
    assert_escapes(escape_collapsed, "a\nb\rc\td\0e\x7f", "a b c d e");
    assert_escapes(escape_collapsed,
                   "a\xe2\x80\xa8"
                   "b\xc2\x85"
                   "c",
                   "a b c");
    assert_escapes(escape_collapsed, "a\u202eb\ufeffc\uffffd\u2028e", "a\\u{202e}b\\u{feff}c\\u{ffff}d e");
    assert_escapes(escape_collapsed, "  a  ", "a");
    assert_escapes(escape_collapsed, "", "_");
    assert_escapes(escape_collapsed, "\n", "_");
    assert_escapes(escape_collapsed, "# note", "_# note");
}

static void collapsed_names_do_not_end_in_a_count(void **state)
{
    (void)state;
    assert_escapes(escape_collapsed, "worker 12", "worker_12");
    assert_escapes(escape_collapsed, "worker 12 ", "worker_12");
    assert_escapes(escape_collapsed, "a 1 2.5", "a 1_2.5");
    assert_escapes(escape_collapsed, "worker 12x", "worker 12x");
    assert_escapes(escape_collapsed, "worker-12", "worker-12");
    assert_escapes(escape_collapsed, "f (a.py:12)", "f (a.py:12)");
    assert_escapes(escape_collapsed, "12", "12");
}

static void sanitizers_append(void **state)
{
    (void)state;
    cleanup_buffer struct buffer out = {0};
    buffer_append_text(&out, "x 1");
    escape_collapsed(&out, "y 2", 3);
    escape_visible(&out, "\n", 1);
    escape_xml(&out, "<", 1);
    assert_string_equal(buffer_text(&out), "x 1y_2\\x0a&lt;");
}

static void words_of_a_shell_are_quoted_where_that_is_needed(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"flame.svg", "flame.svg"},
        {"/tmp/a-1_2%x@host:3,4+5.svg", "/tmp/a-1_2%x@host:3,4+5.svg"},
        {"", "''"},
        {"a b.svg", "'a b.svg'"},
        {"it's;rm -r $HOME`id`", "'it'\\''s;rm -r $HOME`id`'"},
        {"-rf", "./-rf"},
        {"-r f", "./'-r f'"},
        {"~root", "'~root'"},
        {"\033[31m", "'\\x1b[31m'"},
        {"\303\244", "\303\244"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cleanup_buffer struct buffer out = {0};
        escape_shell_word(&out, rows[i][0], strlen(rows[i][0]));
        assert_string_equal(buffer_text(&out), rows[i][1]);
    }
}

static void a_megabyte_of_escapes_is_not_a_problem(void **state)
{
    (void)state;
    enum { LEN = 1 << 20 };
    char *text = malloc(LEN);
    memset(text, 0x1b, LEN);
    cleanup_buffer struct buffer out = {0};
    escape_visible(&out, text, LEN);
    free(text);
    assert_int_equal(out.len, LEN * strlen("\\x1b"));
}

static void a_text_is_cut_between_characters(void **state)
{
    (void)state;
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"; /* 1, 2, 3, 4 and 1 bytes */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    for (size_t limit = 0; limit < sizeof(expected) / sizeof(expected[0]); limit++)
        assert_int_equal(utf8_cut(text, sizeof(text) - 1, limit), expected[limit]);
    assert_int_equal(utf8_cut(text, sizeof(text) - 1, 100), sizeof(text) - 1);
    /* What is no text is cut somewhere. */
    assert_in_range(utf8_cut("\x80\x80\x80\x80\x80\x80\x80\x80", 8, 6), 3, 6);
    assert_int_equal(utf8_cut("", 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(broken_utf8_is_shown_in_every_sink),
        cmocka_unit_test(controls_are_made_visible),
        cmocka_unit_test(xml_has_no_markup_and_no_illegal_character),
        cmocka_unit_test(json_is_strict_and_inert_in_scripts),
        cmocka_unit_test(collapsed_names_keep_to_the_format),
        cmocka_unit_test(collapsed_names_do_not_end_in_a_count),
        cmocka_unit_test(sanitizers_append),
        cmocka_unit_test(words_of_a_shell_are_quoted_where_that_is_needed),
        cmocka_unit_test(a_text_is_cut_between_characters),
        cmocka_unit_test(a_megabyte_of_escapes_is_not_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
