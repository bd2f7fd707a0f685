/* SPDX-License-Identifier: MIT */
#include "cli/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const words[] = {"record", "report", "dump", "diff"};

static const char *nearest(const char *word)
{
    return nearest_word(word, words, sizeof(words) / sizeof(words[0]));
}

static void it_finds_a_word_with_a_mistake(void **state)
{
    (void)state;
    assert_string_equal(nearest("recrod"), "record");
    assert_string_equal(nearest("Dump"), "dump");
    assert_string_equal(nearest("reprt"), "report");
    assert_string_equal(nearest("diiff"), "diff");
}

static void it_does_not_guess_what_is_far(void **state)
{
    (void)state;
    assert_null(nearest("completely"));
    assert_null(nearest("xyz"));
    assert_null(nearest(""));
}

static void it_tells_numbers_and_scripts_from_other_words(void **state)
{
    (void)state;
    assert_true(word_is_number("1234"));
    assert_false(word_is_number(""));
    assert_false(word_is_number("12a"));
    assert_false(word_is_number("-1"));
    assert_true(word_is_script("./server.py"));
    assert_false(word_is_script(".py"));
    assert_false(word_is_script("server.pyc"));
}

static void it_bears_long_words(void **state)
{
    (void)state;
    char word[4096];
    for (size_t i = 0; i + 1 < sizeof(word); i++)
        word[i] = 'r';
    word[sizeof(word) - 1] = '\0';
    assert_null(nearest(word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_a_word_with_a_mistake),
        cmocka_unit_test(it_does_not_guess_what_is_far),
        cmocka_unit_test(it_tells_numbers_and_scripts_from_other_words),
        cmocka_unit_test(it_bears_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
