/* SPDX-License-Identifier: MIT */
#include "cli/fail_over.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct fail_over take(const char *text)
{
    struct fail_over limits = {0};
    assert_null(fail_over_take(&limits, text));
    assert_true(fail_over_is_set(&limits));
    return limits;
}

static void a_number_is_for_a_functions_own_time(void **state)
{
    (void)state;
    struct fail_over limits = take("2.5");
    assert_true(limits.is_limited[GROWTH_SELF] && !limits.is_limited[GROWTH_TOTAL]);
    assert_true(limits.points[GROWTH_SELF] > 2.49 && limits.points[GROWTH_SELF] < 2.51);
    assert_true(take("self:0").is_limited[GROWTH_SELF]);
    assert_true(take("100").is_limited[GROWTH_SELF]);
}

static void each_kind_has_a_limit_of_its_own(void **state)
{
    (void)state;
    struct fail_over limits = take("total:10");
    assert_false(limits.is_limited[GROWTH_SELF]);
    assert_null(fail_over_take(&limits, "5"));
    assert_true(limits.is_limited[GROWTH_SELF] && limits.is_limited[GROWTH_TOTAL]);
    assert_true(limits.points[GROWTH_TOTAL] > limits.points[GROWTH_SELF]);
}

static void what_is_no_number_of_points_is_refused(void **state)
{
    (void)state;
    static const char *const mistakes[] = {"",   "5%", "-1",     "+1",       "101",    "nan",   "inf",
                                           " 5", "5 ", "total:", "total:-1", "total5", "own:5", "total:self:5"};
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct fail_over limits = {0};
        struct error *error = fail_over_take(&limits, mistakes[i]);
        assert_non_null(error);
        assert_int_equal(error->kind, ERROR_USAGE);
        assert_non_null(strstr(error->sentence, mistakes[i]));
        assert_false(fail_over_is_set(&limits));
        error_destroy(error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_for_a_functions_own_time),
        cmocka_unit_test(each_kind_has_a_limit_of_its_own),
        cmocka_unit_test(what_is_no_number_of_points_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
