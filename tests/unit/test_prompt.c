/* SPDX-License-Identifier: MIT */
#include "screen/prompt.h"

#include <curses.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void type(struct prompt *prompt, const char *letters)
{
    for (; *letters; letters++)
        assert_int_equal(prompt_take_key(prompt, (unsigned char)*letters, false), PROMPT_CHANGED);
}

static void takes_letters_and_gives_them_back(void **state)
{
    (void)state;
    struct prompt prompt;
    prompt_open(&prompt, PROMPT_SEARCH, "Search: ", "", 64);
    type(&prompt, "ab");
    assert_int_equal(prompt_take_key(&prompt, 0xe9, false), PROMPT_CHANGED);
    assert_int_equal(prompt_take_key(&prompt, 0x4f60, false), PROMPT_CHANGED);
    assert_int_equal(prompt_take_key(&prompt, 0x1f40d, false), PROMPT_CHANGED);
    assert_string_equal(prompt.text, "ab\u00e9\u4f60\U0001f40d");
    prompt_take_key(&prompt, 0x7f, false);
    assert_string_equal(prompt.text, "ab\u00e9\u4f60");
    prompt_take_key(&prompt, KEY_BACKSPACE, true);
    prompt_take_key(&prompt, 'H' & 0x1f, false);
    assert_string_equal(prompt.text, "ab");
    prompt_take_key(&prompt, 'U' & 0x1f, false);
    assert_string_equal(prompt.text, "");
    assert_int_equal(prompt_take_key(&prompt, 0x7f, false), PROMPT_CHANGED); /* nothing to take away */
    assert_string_equal(prompt.text, "");
}

static void takes_no_more_than_its_limit(void **state)
{
    (void)state;
    struct prompt prompt;
    prompt_open(&prompt, PROMPT_SEARCH, "Search: ", "", 4);
    type(&prompt, "ab");
    assert_int_equal(prompt_take_key(&prompt, 0xe9, false), PROMPT_IGNORED); /* has two bytes */
    type(&prompt, "c");
    assert_int_equal(prompt_take_key(&prompt, 'd', false), PROMPT_IGNORED);
    assert_string_equal(prompt.text, "abc");
}

static void ignores_what_is_no_letter(void **state)
{
    (void)state;
    struct prompt prompt;
    static const unsigned keys[] = {0, 7, 0x1f, 0xd800, 0xdfff, 0x110000, 0xffffffff};
    prompt_open(&prompt, PROMPT_SEARCH, "Search: ", "a", 64);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_equal(prompt_take_key(&prompt, keys[i], false), PROMPT_IGNORED);
    assert_int_equal(prompt_take_key(&prompt, KEY_UP, true), PROMPT_IGNORED);
    assert_string_equal(prompt.text, "a");
}

static void says_how_it_ended(void **state)
{
    (void)state;
    struct prompt prompt;
    prompt_open(&prompt, PROMPT_SAVE, "Save: ", "a.svg", PROMPT_SIZE);
    assert_int_equal(prompt_take_key(&prompt, '\r', false), PROMPT_ACCEPTED);
    assert_int_equal(prompt_take_key(&prompt, KEY_ENTER, true), PROMPT_ACCEPTED);
    assert_int_equal(prompt_take_key(&prompt, 033, false), PROMPT_CANCELLED);
    assert_string_equal(prompt.text, "a.svg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_letters_and_gives_them_back),
        cmocka_unit_test(takes_no_more_than_its_limit),
        cmocka_unit_test(ignores_what_is_no_letter),
        cmocka_unit_test(says_how_it_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
