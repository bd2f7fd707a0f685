/* SPDX-License-Identifier: MIT */
#include "sampler/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { START = 1000000, INTERVAL = 1000, GROUP = SCHEDULE_GROUP_LIMIT, SEED = 42 };

static uint64_t interval_start(uint64_t interval)
{
    return START + interval * INTERVAL;
}

/* Who is always on time. */
static void go_on(struct schedule *schedule)
{
    assert_int_equal(schedule_advance(schedule, schedule->deadline_ns), 0);
}

static void each_group_has_its_deadlines_one_after_the_other(void **state)
{
    (void)state;
    struct schedule schedule;
    uint64_t last_ns = 0;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t group = i / GROUP;
        assert_int_equal(schedule.interval, i);
        assert_in_range(schedule.deadline_ns, interval_start(group * GROUP), interval_start((group + 1) * GROUP) - 1);
        assert_true(schedule.deadline_ns >= last_ns);
        last_ns = schedule.deadline_ns;
        go_on(&schedule);
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
        parts[(schedule.deadline_ns - START) % INTERVAL * PARTS / INTERVAL]++;
        go_on(&schedule);
    }
    /* Five standard deviations of a binomial distribution with p = 1/10 are 212. */
    for (int i = 0; i < PARTS; i++)
        assert_in_range(parts[i], COUNT / PARTS - 212, COUNT / PARTS + 212);
}

/* Of exponential gaps 1 in 10 is shorter than 0.105 of the mean (-ln 0.9) and 1 in 7.4 longer than twice the mean; of
 * these 1 in 11 and 1 in 7.5: 7 of 8 gaps lie within a group. Bounds are five standard deviations off. */
static void gaps_are_nearly_those_of_a_poisson_process(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    int are_short = 0, are_long = 0;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    for (int i = 0; i < COUNT; i++) {
        uint64_t before_ns = schedule.deadline_ns;
        go_on(&schedule);
        are_short += schedule.deadline_ns - before_ns < 105 * INTERVAL / 1000;
        are_long += schedule.deadline_ns - before_ns > 2 * INTERVAL;
    }
    assert_in_range(are_short, COUNT * 0.078, COUNT * 0.098);
    assert_in_range(are_long, COUNT * 0.122, COUNT * 0.146);
}

/* Who asks for one sample in ten seconds does not wait for three minutes. */
static void long_intervals_are_groups_of_their_own(void **state)
{
    (void)state;
    const uint64_t interval_ns = SCHEDULE_GROUP_NS / 2 + 1;
    struct schedule schedule;
    schedule_init(&schedule, START, interval_ns, 0, SEED);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_in_range(schedule.deadline_ns, START + i * interval_ns, START + (i + 1) * interval_ns - 1);
        go_on(&schedule);
    }
}

static void another_seed_gives_other_deadlines(void **state)
{
    (void)state;
    struct schedule one, other;
    schedule_init(&one, START, INTERVAL, 0, SEED);
    schedule_init(&other, START, INTERVAL, 0, SEED + 1);
    assert_int_not_equal(one.deadline_ns, other.deadline_ns);
}

static void what_is_late_by_less_than_an_interval_is_not_passed_over(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    uint64_t second_ns = schedule.deadlines[1], last_ns = schedule.deadlines[GROUP - 1];
    assert_int_equal(schedule_advance(&schedule, second_ns + INTERVAL - 1), 0);
    assert_int_equal(schedule.interval, 1);
    assert_int_equal(schedule.deadline_ns, second_ns);
    assert_int_equal(schedule_advance(&schedule, last_ns + INTERVAL), GROUP - 2);
    assert_int_equal(schedule.interval, GROUP);
}

static void intervals_that_were_slept_through_are_counted(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    assert_int_equal(schedule_advance(&schedule, interval_start(77)), 76);
    assert_int_equal(schedule.interval, 77);
    assert_in_range(schedule.deadline_ns, interval_start(77), interval_start(77 + GROUP) - 1);
}

static void an_interval_is_due_when_its_deadline_is_over(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    for (uint64_t i = 0; i < GROUP; i++) {
        assert_int_equal(schedule_due(&schedule, schedule.deadlines[i]), i);
        assert_int_equal(schedule_due(&schedule, schedule.deadlines[i] + 1), i + 1);
    }
    assert_int_equal(schedule_due(&schedule, interval_start(GROUP)), GROUP);
    assert_int_equal(schedule_due(&schedule, interval_start(1000)), 1000);
}

static void a_duration_has_all_deadlines_of_its_intervals(void **state)
{
    (void)state;
    enum { COUNT = GROUP + GROUP / 2 };
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, COUNT * INTERVAL, SEED);
    assert_int_equal(schedule.end_ns, interval_start(COUNT));
    for (int i = 0; i < COUNT; i++) {
        assert_false(schedule_is_over(&schedule));
        go_on(&schedule);
    }
    assert_true(schedule_is_over(&schedule));
    assert_int_equal(schedule_due(&schedule, schedule.end_ns), COUNT);
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

static void who_leaves_goes_on_with_what_is_due_later(void **state)
{
    (void)state;
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    uint64_t third_ns = schedule.deadlines[2];
    schedule_leave(&schedule, third_ns);
    assert_int_equal(schedule.interval, 2);
    assert_int_equal(schedule.deadline_ns, third_ns);
    schedule_leave(&schedule, interval_start(100));
    assert_int_equal(schedule.interval, 100);
}

static void a_pause_is_no_part_of_the_time_and_puts_off_the_end(void **state)
{
    (void)state;
    enum { PAUSE = 5555 };
    struct schedule schedule;
    schedule_init(&schedule, START, INTERVAL, GROUP * INTERVAL, SEED);
    go_on(&schedule);
    const struct schedule before = schedule;
    schedule_put_off(&schedule, PAUSE);
    assert_int_equal(schedule.interval, 1);
    assert_int_equal(schedule.deadline_ns, before.deadline_ns + PAUSE);
    assert_int_equal(schedule.deadline_ns - schedule.origin_ns, before.deadline_ns - before.origin_ns);
    assert_int_equal(schedule.end_ns, before.end_ns + PAUSE);
    assert_int_equal(schedule.interval_limit, GROUP);
    for (int i = 1; i < GROUP; i++) {
        assert_false(schedule_is_over(&schedule));
        assert_int_equal(schedule.deadline_ns, before.deadlines[i] + PAUSE);
        go_on(&schedule);
    }
    assert_true(schedule_is_over(&schedule));
}

static void each_time_lies_in_its_interval(void **state)
{
    (void)state;
    enum { PASSED = 100, COUNT = 1000 };
    struct schedule schedule;
    int are_moved = 0;
    schedule_init(&schedule, START, INTERVAL, 0, SEED);
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_in_range(schedule_time(&schedule), i * INTERVAL, (i + 1) * INTERVAL - 1);
        are_moved += schedule_time(&schedule) != schedule.deadline_ns - START;
        go_on(&schedule);
    }
    assert_in_range(are_moved, 1, COUNT - 1);
    schedule_count_from(&schedule, interval_start(COUNT) + 1);
    assert_int_equal(schedule_begin_of(&schedule, COUNT), 0);
    assert_int_equal(schedule_begin_of(&schedule, COUNT + 1), INTERVAL);
    assert_int_equal(schedule_begin_of(&schedule, 1), 0);
    for (uint64_t i = 0; i < PASSED; i++) {
        assert_in_range(schedule_time(&schedule), i * INTERVAL, (i + 1) * INTERVAL - 1);
        go_on(&schedule);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_group_has_its_deadlines_one_after_the_other),
        cmocka_unit_test(deadlines_are_spread_evenly_over_the_interval),
        cmocka_unit_test(gaps_are_nearly_those_of_a_poisson_process),
        cmocka_unit_test(long_intervals_are_groups_of_their_own),
        cmocka_unit_test(another_seed_gives_other_deadlines),
        cmocka_unit_test(what_is_late_by_less_than_an_interval_is_not_passed_over),
        cmocka_unit_test(intervals_that_were_slept_through_are_counted),
        cmocka_unit_test(an_interval_is_due_when_its_deadline_is_over),
        cmocka_unit_test(a_duration_has_all_deadlines_of_its_intervals),
        cmocka_unit_test(a_stall_beyond_the_end_counts_only_what_was_left),
        cmocka_unit_test(a_duration_shorter_than_an_interval_has_a_part_of_the_deadlines),
        cmocka_unit_test(who_leaves_goes_on_with_what_is_due_later),
        cmocka_unit_test(each_time_lies_in_its_interval),
        cmocka_unit_test(a_pause_is_no_part_of_the_time_and_puts_off_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
