/* SPDX-License-Identifier: MIT */
#include "sampler/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { START = 1000000, INTERVAL = 1000, SEED = 42 };

static uint64_t interval_start(uint64_t interval)
{
    return START + interval * INTERVAL;
}

static void each_deadline_lies_in_its_interval(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    for (uint64_t i = 0; i < 10000; i++) {
        assert_int_equal(schedule.interval, i);
        assert_in_range(schedule.deadline_ns, interval_start(i), interval_start(i + 1) - 1);
        assert_int_equal(schedule_advance(&schedule, schedule.deadline_ns), 0);
    }
}

static void deadlines_are_spread_evenly_over_the_interval(void **state)
{
    (void)state;
    enum { COUNT = 20000, PARTS = 10 };
    uint64_t parts[PARTS] = {0};
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    for (uint64_t i = 0; i < COUNT; i++) {
        parts[(schedule.deadline_ns - interval_start(i)) * PARTS / INTERVAL]++;
        schedule_advance(&schedule, schedule.deadline_ns);
    }
    /* Five standard deviations of a binomial distribution with p = 1/10 are 212. */
    for (int i = 0; i < PARTS; i++)
        assert_in_range(parts[i], COUNT / PARTS - 212, COUNT / PARTS + 212);
}

static void another_seed_gives_other_deadlines(void **state)
{
    (void)state;
    struct schedule one, other;
    schedule_init(&one, START, INTERVAL, 0, SEED);
    schedule_init(&other, START, INTERVAL, 0, SEED + 1);
    assert_int_not_equal(one.deadline_ns, other.deadline_ns);
}

static void a_late_sample_may_reach_into_the_next_interval(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    assert_int_equal(schedule_advance(&schedule, interval_start(1) + INTERVAL / 2), 0);
    assert_int_equal(schedule.interval, 1);
}

static void intervals_that_were_slept_through_are_counted(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    assert_int_equal(schedule_advance(&schedule, interval_start(7)), 6);
    assert_int_equal(schedule.interval, 7);
    assert_in_range(schedule.deadline_ns, interval_start(7), interval_start(8) - 1);
}

static void a_duration_ends_after_its_last_interval(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 3 * INTERVAL, SEED);
    assert_int_equal(schedule.end_ns, interval_start(3));
    for (int i = 0; i < 3; i++) {
        assert_false(schedule_is_over(&schedule));
        schedule_advance(&schedule, schedule.deadline_ns);
    }
    assert_true(schedule_is_over(&schedule));
}

static void a_stall_beyond_the_end_counts_only_what_was_left(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 5 * INTERVAL, SEED);
    assert_int_equal(schedule_advance(&schedule, interval_start(1000)), 4);
    assert_true(schedule_is_over(&schedule));
}

/* The end cuts the last interval, and so a part of its deadlines: 1 in 4 lies before the end here. */
static void a_duration_shorter_than_an_interval_has_a_part_of_the_deadlines(void **state)
{
    (void)state;
    enum { COUNT = 4000 };
    int count = 0;
    for (uint64_t seed = 0; seed < COUNT; seed++) {
        struct schedule schedule;
        schedule_init(&schedule, START, INTERVAL, INTERVAL / 4, seed);
        assert_int_equal(schedule.end_ns, START + INTERVAL / 4);
        count += !schedule_is_over(&schedule);
        schedule_advance(&schedule, schedule.deadline_ns);
        assert_true(schedule_is_over(&schedule));
    }
    assert_in_range(count, COUNT / 4 - 137, COUNT / 4 + 137); /* five standard deviations */
}

static void a_pause_is_no_part_of_the_time_and_puts_off_the_end(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, 1000, 100, 1000, 1);
    schedule_advance(&schedule, 1150);
    assert_int_equal(schedule.interval, 1);
    schedule_resume(&schedule, 1180, 1680);
    assert_int_equal(schedule.interval, 6);
    assert_int_equal(schedule.paused, 4);
    assert_int_equal(schedule.end_ns, 2500);
    assert_int_equal(schedule.interval_limit, 15);
    assert_false(schedule_is_over(&schedule));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_deadline_lies_in_its_interval),
        cmocka_unit_test(a_pause_is_no_part_of_the_time_and_puts_off_the_end),
        cmocka_unit_test(deadlines_are_spread_evenly_over_the_interval),
        cmocka_unit_test(another_seed_gives_other_deadlines),
        cmocka_unit_test(a_late_sample_may_reach_into_the_next_interval),
        cmocka_unit_test(intervals_that_were_slept_through_are_counted),
        cmocka_unit_test(a_duration_ends_after_its_last_interval),
        cmocka_unit_test(a_stall_beyond_the_end_counts_only_what_was_left),
        cmocka_unit_test(a_duration_shorter_than_an_interval_has_a_part_of_the_deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
