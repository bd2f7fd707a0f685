/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void an_error_has_a_kind_and_a_formatted_sentence(void **state)
{
    (void)state;
    cleanup_error struct error *error = error_create(ERROR_USAGE, "rate %d is not %s", 0, "positive");
    assert_int_equal(error->kind, ERROR_USAGE);
    assert_string_equal(error->sentence, "rate 0 is not positive");
}

static void the_kind_of_a_failed_call_follows_from_errno(void **state)
{
    (void)state;
    static const struct {
        int errno_value;
        enum error_kind kind;
    } rows[] = {
        {EPERM, ERROR_PERMISSION},
        {EACCES, ERROR_PERMISSION},
        {ENOENT, ERROR_NOT_FOUND},
        {ESRCH, ERROR_TARGET_GONE},
        {ENOMEM, ERROR_NO_MEMORY},
        {EIO, ERROR_OS},
        {0, ERROR_OS},
        {-1, ERROR_OS},
        {123456, ERROR_OS},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cleanup_error struct error *error = error_from_errno(rows[i].errno_value, "opening");
        assert_int_equal(error->kind, rows[i].kind);
    }
}

static void a_failed_call_is_named_before_its_cause(void **state)
{
    (void)state;
    cleanup_error struct error *error = error_from_errno(EACCES, "opening %s", "x;\x1b[2J");
    assert_string_equal(error->sentence, "opening x;\x1b[2J: Permission denied");
}

static void wrapping_keeps_the_kind_and_puts_the_context_in_front(void **state)
{
    (void)state;
    struct error *inner = error_create(ERROR_TARGET_GONE, "it has ended");
    cleanup_error struct error *error = error_wrap(error_wrap(inner, "process %d", 7), "attaching");
    assert_int_equal(error->kind, ERROR_TARGET_GONE);
    assert_string_equal(error->sentence, "attaching: process 7: it has ended");
}

static void a_percent_sign_in_a_wrapped_sentence_is_not_a_format(void **state)
{
    (void)state;
    struct error *inner = error_create(ERROR_BAD_DATA, "%s", "100%n %s");
    cleanup_error struct error *error = error_wrap(inner, "reading");
    assert_string_equal(error->sentence, "reading: 100%n %s");
}

static void a_sentence_may_be_long(void **state)
{
    (void)state;
    char text[10001];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    cleanup_error struct error *error = error_wrap(error_create(ERROR_OS, "%s", text), "a");
    assert_int_equal(strlen(error->sentence), 10003);
}

static void the_error_for_no_memory_outlives_its_destruction(void **state)
{
    (void)state;
    error_destroy(error_no_memory());
    error_destroy(error_no_memory());
    error_destroy(NULL);
    assert_int_equal(error_no_memory()->kind, ERROR_NO_MEMORY);
    assert_string_equal(error_no_memory()->sentence, "out of memory");
}

static void the_error_for_no_memory_can_be_wrapped(void **state)
{
    (void)state;
    cleanup_error struct error *error = error_wrap(error_no_memory(), "writing");
    assert_int_equal(error->kind, ERROR_NO_MEMORY);
    assert_string_equal(error->sentence, "writing: out of memory");
    assert_string_equal(error_no_memory()->sentence, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_has_a_kind_and_a_formatted_sentence),
        cmocka_unit_test(the_kind_of_a_failed_call_follows_from_errno),
        cmocka_unit_test(a_failed_call_is_named_before_its_cause),
        cmocka_unit_test(wrapping_keeps_the_kind_and_puts_the_context_in_front),
        cmocka_unit_test(a_percent_sign_in_a_wrapped_sentence_is_not_a_format),
        cmocka_unit_test(a_sentence_may_be_long),
        cmocka_unit_test(the_error_for_no_memory_outlives_its_destruction),
        cmocka_unit_test(the_error_for_no_memory_can_be_wrapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
