/* SPDX-License-Identifier: MIT */
#include "sampler/lateness.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What one look says of one thread. */
static struct sampled_thread judge(struct sampled_thread thread, struct look look)
{
    thread.turns = 1;
    lateness_judge(&look, &thread);
    return thread;
}

static void who_is_looked_at_in_time_counts_once(void **state)
{
    (void)state;
    const struct look look = {.interval = 7, .late_ns = LATE_NS};
    for (int i = 0; i < 4; i++) {
        struct sampled_thread found = judge((struct sampled_thread){.is_active = i & 1, .has_run = i & 2}, look);
        assert_int_equal(found.weight, 1);
        assert_int_equal(found.owed, 0);
        assert_int_equal(found.owed_before, 0);
        assert_false(found.is_done);
    }
}

static void who_ran_and_sleeps_when_it_is_late_is_not_seen_sleeping(void **state)
{
    (void)state;
    const struct sampled_thread thread = {.has_run = true};
    struct sampled_thread even = judge(thread, (struct look){.interval = 4, .late_ns = LATE_NS + 1});
    struct sampled_thread odd = judge(thread, (struct look){.interval = 5, .late_ns = LATE_NS + 1});
    assert_true(even.is_done && odd.is_done);
    assert_int_equal(even.owed_before, 0);
    assert_int_equal(even.owed, 1);
    assert_int_equal(odd.owed_before, 1);
    assert_int_equal(odd.owed, 0);
    assert_int_equal(odd.owed_now, 1);
}

static void who_slept_all_the_time_counts_for_all_of_it(void **state)
{
    (void)state;
    struct sampled_thread found =
        judge((struct sampled_thread){.owed = 2}, (struct look){.late_ns = LATE_NS + 1, .passed = 3});
    assert_int_equal(found.weight, 4);
    assert_int_equal(found.owed, 2);
    assert_false(found.is_done);
}

static void what_ran_unseen_is_shared_by_the_stacks_before_and_after(void **state)
{
    (void)state;
    struct sampled_thread found = judge((struct sampled_thread){.is_active = true, .has_run = true, .owed = 1},
                                        (struct look){.interval = 2, .passed = 4});
    assert_int_equal(found.owed_before, 2);
    assert_int_equal(found.owed, 3);
    assert_int_equal(found.weight, 4);
    assert_int_equal(found.owed_now, 0);
    found = judge((struct sampled_thread){.has_run = true, .owed = 1}, (struct look){.interval = 2, .passed = 4});
    assert_int_equal(found.owed_before, 2);
    assert_int_equal(found.owed, 3);
    assert_int_equal(found.owed_now, 4);
    assert_int_equal(found.weight, 1);
    assert_false(found.is_done);
}

static void what_is_owed_has_a_limit(void **state)
{
    (void)state;
    struct sampled_thread found = judge((struct sampled_thread){.is_active = true, .owed = OWED_INTERVALS_LIMIT - 1},
                                        (struct look){.interval = 2, .passed = 40});
    assert_int_equal(found.owed, OWED_INTERVALS_LIMIT);
    assert_int_equal(found.weight, 1 + OWED_INTERVALS_LIMIT);
}

/* What a further look in the same interval says of a thread that was found active at the first. */
static struct sampled_thread judge_again(struct sampled_thread thread, struct look look)
{
    struct thread_list list = {.threads = &thread, .count = 1};
    thread.is_active = true;
    thread = judge(thread, look);
    thread.owed_before = 0; /* has been counted */
    lateness_judge_again(&look, &list);
    return thread;
}

static void who_went_to_sleep_after_the_deadline_ran_unseen(void **state)
{
    (void)state;
    struct sampled_thread found =
        judge_again((struct sampled_thread){.fell_asleep = true}, (struct look){.interval = 4});
    assert_true(found.is_done);
    assert_false(found.is_active || found.fell_asleep);
    assert_int_equal(found.owed, 1);
    assert_int_equal(found.owed_now, 1);
    assert_int_equal(found.owed_asleep, 0);
    found = judge_again((struct sampled_thread){.fell_asleep = true}, (struct look){.interval = 5, .passed = 2});
    assert_int_equal(found.owed_before + found.owed, 2);
    assert_int_equal(found.owed_now, 3);
}

static void who_woke_up_after_the_deadline_counts_as_asleep(void **state)
{
    (void)state;
    struct sampled_thread found =
        judge_again((struct sampled_thread){.was_asleep = true, .owed = 3}, (struct look){.interval = 4});
    assert_true(found.is_done);
    assert_false(found.is_active || found.was_asleep);
    assert_int_equal(found.owed_asleep, 1);
    assert_int_equal(found.owed, 3);
    assert_int_equal(found.owed_now, 0);
}

static void who_ran_all_the_time_is_still_to_be_read(void **state)
{
    (void)state;
    struct sampled_thread found = judge_again((struct sampled_thread){.owed = 0}, (struct look){.interval = 4});
    assert_true(found.is_active);
    assert_false(found.is_done);
}

static void who_slept_until_after_the_deadline_slept_in_what_had_passed(void **state)
{
    (void)state;
    const struct look look = {.interval = 4, .passed = 2};
    struct sampled_thread thread = judge((struct sampled_thread){.was_asleep = true}, look);
    struct thread_list list = {.threads = &thread, .count = 1};
    lateness_judge_again(&look, &list);
    assert_int_equal(thread.owed_asleep, 3);
    assert_int_equal(thread.owed_now, 0);
    assert_int_equal(thread.owed, 0);
    assert_true(thread.is_done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_looked_at_in_time_counts_once),
        cmocka_unit_test(who_ran_and_sleeps_when_it_is_late_is_not_seen_sleeping),
        cmocka_unit_test(who_slept_all_the_time_counts_for_all_of_it),
        cmocka_unit_test(what_ran_unseen_is_shared_by_the_stacks_before_and_after),
        cmocka_unit_test(what_is_owed_has_a_limit),
        cmocka_unit_test(who_went_to_sleep_after_the_deadline_ran_unseen),
        cmocka_unit_test(who_woke_up_after_the_deadline_counts_as_asleep),
        cmocka_unit_test(who_ran_all_the_time_is_still_to_be_read),
        cmocka_unit_test(who_slept_until_after_the_deadline_slept_in_what_had_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
