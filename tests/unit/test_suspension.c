/* SPDX-License-Identifier: MIT */
#include "sampler/suspension.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint64_t SECOND = 1000000000, MICROSECOND = 1000;

/* A clock source: what a machine shows that was suspended for some time. */
struct machine {
    uint64_t monotonic_ns, boottime_ns;
};

static void run_on(struct machine *machine, uint64_t ns)
{
    machine->monotonic_ns += ns;
    machine->boottime_ns += ns;
}

/* Reads the clocks, with a stop of ours before and behind the middle one. */
static void note(struct machine *machine, struct suspension *suspension, uint64_t stop_before, uint64_t stop_behind)
{
    uint64_t before = machine->monotonic_ns;
    run_on(machine, MICROSECOND + stop_before);
    uint64_t boottime = machine->boottime_ns;
    run_on(machine, MICROSECOND + stop_behind);
    suspension_note(suspension, before, boottime, machine->monotonic_ns);
}

static void what_was_suspended_is_told(void **state)
{
    (void)state;
    struct machine machine = {5 * SECOND, 7 * SECOND};
    struct suspension suspension = {0};
    note(&machine, &suspension, 0, 0);
    for (int i = 0; i < 100; i++) {
        run_on(&machine, SECOND);
        note(&machine, &suspension, 0, 0);
    }
    assert_int_equal(suspension.total_ns, 0);
    machine.boottime_ns += 3600 * SECOND;
    note(&machine, &suspension, 0, 0);
    assert_in_range(suspension.total_ns, 3600 * SECOND - 10 * MICROSECOND, 3600 * SECOND);
    run_on(&machine, SECOND);
    note(&machine, &suspension, 0, 0);
    machine.boottime_ns += SECOND / 2;
    note(&machine, &suspension, 0, 0);
    assert_in_range(suspension.total_ns, 3600 * SECOND + SECOND / 2 - 20 * MICROSECOND, 3600 * SECOND + SECOND / 2);
}

static void a_stop_of_ours_is_no_suspension(void **state)
{
    (void)state;
    struct machine machine = {5 * SECOND, 5 * SECOND};
    struct suspension suspension = {0};
    note(&machine, &suspension, 5 * SECOND, 0);
    note(&machine, &suspension, 0, 0);
    note(&machine, &suspension, 5 * SECOND, 5 * SECOND);
    note(&machine, &suspension, 0, 5 * SECOND);
    run_on(&machine, 5 * SECOND);
    note(&machine, &suspension, 5 * SECOND, 0);
    note(&machine, &suspension, 0, 0);
    assert_int_equal(suspension.total_ns, 0);
    machine.boottime_ns += SECOND;
    note(&machine, &suspension, 0, 0);
    assert_in_range(suspension.total_ns, SECOND - 10 * MICROSECOND, SECOND);
}

/* In a time namespace with another offset, CLOCK_BOOTTIME can be behind. */
static void a_namespace_has_any_offset(void **state)
{
    (void)state;
    struct machine machine = {86400 * SECOND, 5 * SECOND};
    struct suspension suspension = {0};
    note(&machine, &suspension, 0, 0);
    run_on(&machine, SECOND);
    note(&machine, &suspension, 0, 0);
    assert_int_equal(suspension.total_ns, 0);
    machine.boottime_ns += 2 * SECOND;
    note(&machine, &suspension, 0, 0);
    assert_in_range(suspension.total_ns, 2 * SECOND - 10 * MICROSECOND, 2 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_suspended_is_told),
        cmocka_unit_test(a_stop_of_ours_is_no_suspension),
        cmocka_unit_test(a_namespace_has_any_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
