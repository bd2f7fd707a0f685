/* SPDX-License-Identifier: MIT */
#include "python/value_text.h"

#include "base/buffer.h"
#include "python/printable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void check_cut(const char *parts, uint32_t limit, const char *expected)
{
    cleanup_buffer struct buffer out = {0};
    buffer_append_text(&out, "before ");
    struct value_text text = value_text_begin(&out, limit);
    value_append(&text, parts);
    value_append(&text, "");
    value_text_end(&text);
    assert_string_equal(buffer_text(&out) + strlen("before "), expected);
}

static void a_text_has_as_many_characters_as_there_is_room_for(void **state)
{
    (void)state;
    check_cut("", 5, "");
    check_cut("12345", 5, "12345");
    check_cut("123456", 5, "12...");
    check_cut("1234", 3, "...");
    check_cut("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80xy", 5, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80xy");
    check_cut("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80xyz", 5, "\xc3\xa9\xe2\x82\xac...");
    /* With less room than the mark takes, what fits. */
    check_cut("123", 2, "12");
    check_cut("123", 0, "");
}

static void parts_are_cut_as_one_text(void **state)
{
    (void)state;
    cleanup_buffer struct buffer out = {0};
    struct value_text text = value_text_begin(&out, 10);
    value_format(&text, "%d, %s", 12, "ab");
    value_append_character(&text, 0x20ac);
    value_append_character(&text, 0x110000);
    assert_false(text.is_full);
    value_append(&text, "123");
    assert_true(text.is_full);
    value_append(&text, "never");
    value_text_end(&text);
    assert_string_equal(buffer_text(&out), "12, ab\xe2\x82\xac...");
}

static void bytes_that_are_no_utf8_do_no_harm(void **state)
{
    (void)state;
    check_cut("\x80\x80\x80", 4, "\x80\x80\x80");
    check_cut("\xff\xff\xff\xff\xff", 4, "\xff...");
}

static void check_quoted(uint32_t c, char quote, enum quote_style style, const char *expected)
{
    cleanup_buffer struct buffer out = {0};
    struct value_text text = value_text_begin(&out, 20);
    value_append_quoted(&text, c, quote, style);
    assert_string_equal(buffer_text(&out), expected);
}

static void characters_are_escaped_as_repr_does(void **state)
{
    (void)state;
    check_quoted('a', '\'', QUOTE_TEXT, "a");
    check_quoted('\'', '\'', QUOTE_TEXT, "\\'");
    check_quoted('\'', '"', QUOTE_TEXT, "'");
    check_quoted('\'', '"', QUOTE_ARRAY, "\\'");
    check_quoted('\\', '\'', QUOTE_BYTES, "\\\\");
    check_quoted('\n', '\'', QUOTE_TEXT, "\\n");
    check_quoted(0x1b, '\'', QUOTE_TEXT, "\\x1b");
    check_quoted(0x7f, '\'', QUOTE_TEXT, "\\x7f");
    check_quoted(0xe9, '\'', QUOTE_TEXT, "\xc3\xa9");
    check_quoted(0xe9, '\'', QUOTE_BYTES, "\\xe9");
    check_quoted(0xe9, '\'', QUOTE_ASCII, "\\xe9");
    check_quoted(0xad, '\'', QUOTE_TEXT, "\\xad");
    check_quoted(0x202e, '\'', QUOTE_TEXT, "\\u202e");
    check_quoted(0xd800, '\'', QUOTE_TEXT, "\\ud800");
    check_quoted(0x1f600, '\'', QUOTE_TEXT, "\xf0\x9f\x98\x80");
    check_quoted(0x1f600, '\'', QUOTE_ASCII, "\\U0001f600");
    check_quoted(0xe0041, '\'', QUOTE_TEXT, "\\U000e0041");
}

/* The ends of the table, and what is beyond all characters. */
static void what_can_be_printed_is_known(void **state)
{
    (void)state;
    assert_false(is_printable(0));
    assert_true(is_printable(' '));
    assert_true(is_printable('~'));
    assert_false(is_printable(0x7f));
    assert_false(is_printable(0xa0));
    assert_true(is_printable(0xa1));
    assert_false(is_printable(0x3000));
    assert_true(is_printable(0x3001));
    assert_false(is_printable(0x10ffff));
    assert_true(is_printable(UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_as_many_characters_as_there_is_room_for),
        cmocka_unit_test(parts_are_cut_as_one_text),
        cmocka_unit_test(bytes_that_are_no_utf8_do_no_harm),
        cmocka_unit_test(characters_are_escaped_as_repr_does),
        cmocka_unit_test(what_can_be_printed_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
