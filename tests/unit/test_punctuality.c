/* SPDX-License-Identifier: MIT */
#include "sampler/punctuality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void wake_up(struct punctuality *punctuality, int times, uint64_t late_ns)
{
    for (int i = 0; i < times; i++)
        punctuality_note_wake_up(punctuality, late_ns);
}

static void be_late(struct punctuality *punctuality)
{
    wake_up(punctuality, PUNCTUALITY_LATE_LIMIT, PUNCTUALITY_LATE_NS + 1);
}

static void who_is_on_time_needs_no_precedence(void **state)
{
    (void)state;
    struct punctuality punctuality = {0};
    wake_up(&punctuality, 100 * PUNCTUALITY_WINDOW, PUNCTUALITY_LATE_NS);
    assert_false(punctuality.has_precedence);
}

static void one_late_wake_up_a_window_is_no_matter(void **state)
{
    (void)state;
    struct punctuality punctuality = {0};
    for (int i = 0; i < 100; i++) {
        wake_up(&punctuality, PUNCTUALITY_LATE_LIMIT - 1, PUNCTUALITY_LATE_NS + 1);
        wake_up(&punctuality, PUNCTUALITY_WINDOW - (PUNCTUALITY_LATE_LIMIT - 1), 0);
        assert_false(punctuality.has_precedence);
    }
}

static void who_is_late_has_precedence_for_a_term(void **state)
{
    (void)state;
    struct punctuality punctuality = {0};
    be_late(&punctuality);
    for (int i = 0; i < PUNCTUALITY_TERM; i++) {
        assert_true(punctuality.has_precedence);
        wake_up(&punctuality, 1, 0);
    }
    assert_false(punctuality.has_precedence);
    be_late(&punctuality);
    assert_true(punctuality.has_precedence);
}

static void who_works_long_has_no_precedence(void **state)
{
    (void)state;
    struct punctuality punctuality = {0};
    be_late(&punctuality);
    punctuality_note_work(&punctuality, PUNCTUALITY_WORK_NS);
    assert_true(punctuality.has_precedence);
    punctuality_note_work(&punctuality, PUNCTUALITY_WORK_NS + 1);
    for (int i = 0; i < PUNCTUALITY_TERM; i++) {
        assert_false(punctuality.has_precedence);
        wake_up(&punctuality, 1, PUNCTUALITY_LATE_NS + 1);
    }
    be_late(&punctuality);
    assert_true(punctuality.has_precedence);
}

static void long_work_without_precedence_is_no_matter(void **state)
{
    (void)state;
    struct punctuality punctuality = {0};
    punctuality_note_work(&punctuality, 1000 * PUNCTUALITY_WORK_NS);
    be_late(&punctuality);
    assert_true(punctuality.has_precedence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_on_time_needs_no_precedence),
        cmocka_unit_test(one_late_wake_up_a_window_is_no_matter),
        cmocka_unit_test(who_is_late_has_precedence_for_a_term),
        cmocka_unit_test(who_works_long_has_no_precedence),
        cmocka_unit_test(long_work_without_precedence_is_no_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
