/* SPDX-License-Identifier: MIT */
#include "sampler/budget.h"

#include "target/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct quota twentieth = {.quota_ns = 5000000, .period_ns = 100000000};

static void without_a_quota_nobody_waits(void **state)
{
    (void)state;
    struct budget budget = {0};
    assert_int_equal(budget_rest_end_ns(&budget, 1000, 1000), 1000);
    assert_int_equal(budget_rest_end_ns(&budget, 2000, 900000000), 2000);
    budget_set(&budget, &twentieth);
    budget_set(&budget, NULL);
    assert_int_equal(budget_rest_end_ns(&budget, 3000, 1900000000), 3000);
}

/* Whoever always wants to work more, 100 us each millisecond, gets half of the quota in each period. */
static void half_of_the_quota_is_spent(void **state)
{
    (void)state;
    struct budget budget = {0};
    uint64_t now_ns = 1000000000, used_ns = 700000000, begin_ns;
    budget_set(&budget, &twentieth);
    budget_rest_end_ns(&budget, now_ns, used_ns);
    now_ns += 1000000000;
    budget_rest_end_ns(&budget, now_ns, used_ns);
    begin_ns = now_ns;
    uint64_t period_ns = now_ns, used_before_ns = used_ns, first_ns = used_ns;
    while (now_ns < begin_ns + 10 * twentieth.period_ns) {
        now_ns += 1000000;
        used_ns += 100000;
        now_ns = budget_rest_end_ns(&budget, now_ns, used_ns);
        if (now_ns >= period_ns + twentieth.period_ns) {
            assert_true(used_ns - used_before_ns <= twentieth.quota_ns + 200000);
            period_ns = now_ns;
            used_before_ns = used_ns;
        }
    }
    uint64_t spent_ns = used_ns - first_ns;
    assert_true(spent_ns > 4 * twentieth.quota_ns && spent_ns < 6 * twentieth.quota_ns);
}

/* The start of a recording takes far more than a quota, which would take seconds to pay for. */
static void a_wait_has_a_limit(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_set(&budget, &twentieth);
    budget_rest_end_ns(&budget, 1000000000, 0);
    uint64_t end_ns = budget_rest_end_ns(&budget, 1001000000, 900000000);
    assert_true(end_ns > 1001000000 + twentieth.period_ns);
    assert_true(end_ns < 1001000000 + 3 * twentieth.period_ns);
}

/* One that reads files has ended. */
static void less_than_before_is_nothing(void **state)
{
    (void)state;
    struct budget budget = {0};
    budget_set(&budget, &twentieth);
    budget_rest_end_ns(&budget, 1000000000, 900000000);
    budget_rest_end_ns(&budget, 2000000000, 900000000);
    assert_int_equal(budget_rest_end_ns(&budget, 3000000000, 800000000), 3000000000);
}

static void what_was_used_is_what_our_threads_had(void **state)
{
    (void)state;
    struct budget budget = {0};
    uint64_t before_ns = budget_used_ns(&budget);
    while (budget_used_ns(&budget) < before_ns + 1000000)
        ;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_quota_nobody_waits),
        cmocka_unit_test(half_of_the_quota_is_spent),
        cmocka_unit_test(a_wait_has_a_limit),
        cmocka_unit_test(less_than_before_is_nothing),
        cmocka_unit_test(what_was_used_is_what_our_threads_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
