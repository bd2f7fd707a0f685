/* SPDX-License-Identifier: MIT */
#include "formats/json_stream.h"

#include "base/cleanup.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct written {
    struct json_stream json;
    char *text;
    size_t len;
};

static int open_stream(void **state)
{
    static struct written written;
    written = (struct written){0};
    written.json.out = open_memstream(&written.text, &written.len);
    *state = &written;
    return written.json.out == NULL;
}

static int close_stream(void **state)
{
    struct written *written = *state;
    fclose(written->json.out);
    json_stream_deinit(&written->json);
    free(written->text);
    return 0;
}

static void assert_written(struct written *written, const char *expected)
{
    assert_int_equal(fflush(written->json.out), 0);
    assert_string_equal(written->text, expected);
    rewind(written->json.out);
}

static void numbers_have_all_their_digits(void **state)
{
    struct written *written = *state;
    json_number(&written->json, 0);
    json_raw(&written->json, ",");
    json_number(&written->json, UINT64_MAX);
    json_raw(&written->json, ",");
    json_signed(&written->json, INT64_MIN);
    json_raw(&written->json, ",");
    json_signed(&written->json, 1000000);
    assert_written(written, "0,18446744073709551615,-9223372036854775808,1000000");
}

static void decimals_have_no_zeros_at_the_end(void **state)
{
    struct written *written = *state;
    const uint64_t numbers[] = {0, 1, 1000, 1001, 120, 123456, UINT64_MAX};
    for (size_t i = 0; i < array_size(numbers); i++) {
        json_decimal(&written->json, numbers[i], 3);
        json_raw(&written->json, " ");
    }
    json_decimal(&written->json, 5, 0);
    assert_written(written, "0 0.001 1 1.001 0.12 123.456 18446744073709551.615 5");
}

static void texts_are_harmless_strings(void **state)
{
    struct written *written = *state;
    cleanup_profile struct profile *profile = NULL;
    assert_null(profile_create("root", "title", &profile));
    json_string(&written->json, "\"\\\n</\xff", 6);
    json_profile_string(&written->json, profile, PROFILE_NONE);
    json_profile_string(&written->json, profile, profile_intern(profile, "", 0));
    json_name(&written->json, profile, profile_intern(profile, "", 0));
    json_name(&written->json, profile, profile_intern(profile, "f", 1));
    assert_written(written, "\"\\\"\\\\\\u000a\\u003c/\\\\xff\"null\"\"\"(no name)\"\"f\"");
}

static void a_long_text_is_cut_in_its_middle(void **state)
{
    struct written *written = *state;
    char word[1000];
    cleanup_profile struct profile *profile = NULL;
    assert_null(profile_create("root", "title", &profile));
    memset(word, 'x', sizeof(word));
    word[0] = 'a';
    word[sizeof(word) - 1] = 'z';
    json_short_string(&written->json, profile, profile_intern(profile, word, sizeof(word)));
    fflush(written->json.out);
    assert_in_range(written->len, 100, 250);
    assert_memory_equal(written->text, "\"axx", 4);
    assert_memory_equal(written->text + written->len - 4, "xxz\"", 4);
    assert_non_null(strstr(written->text, "…"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_have_all_their_digits, open_stream, close_stream),
        cmocka_unit_test_setup_teardown(decimals_have_no_zeros_at_the_end, open_stream, close_stream),
        cmocka_unit_test_setup_teardown(texts_are_harmless_strings, open_stream, close_stream),
        cmocka_unit_test_setup_teardown(a_long_text_is_cut_in_its_middle, open_stream, close_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
