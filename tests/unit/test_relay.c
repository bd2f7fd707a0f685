/* SPDX-License-Identifier: MIT */
#include "sampler/relay.h"

#include "base/cleanup.h"
#include "sampler/schedule.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>

#include <cmocka.h>

enum { STEP_COUNT = 40, REST_NS = 2000000 };

static const uint64_t longest_ns = 3600 * UINT64_C(1000000000);

/* Steps that go to and fro between two CPUs, with a rest before each but the first. */
struct walk {
    struct relay *relay;
    int cpus[2];
    int count;
    uint64_t rest_ns;
    uint64_t rest_end_ns;
    bool is_renewing;    /* each step lets another thread take its place */
    int elsewhere_count; /* steps that were not where they should have been, */
    int early_count;     /* or that began before the rest had ended */
    long switches;       /* of the threads of the steps, while a step's work lasted and for its way to the next one */
};

/* The first two CPUs on which we may run. With one CPU both are the same, and nothing goes to and fro. */
static void find_cpus(int ret[2])
{
    cpu_set_t set;
    int count = 0;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE && count < 2; cpu++) {
        if (CPU_ISSET(cpu, &set))
            ret[count++] = cpu;
    }
    assert_true(count > 0);
    if (count == 1)
        ret[1] = ret[0];
}

static long own_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static int take_step(void *context, int cpu)
{
    static _Thread_local long switches;
    struct walk *walk = context;
    int number = walk->count++;
    if (!relay_sleep_until(walk->relay, walk->rest_end_ns))
        return RELAY_STOP;
    /* Of a thread's first step it is not known since when it waits. */
    if (switches > 0)
        walk->switches += own_switches() - switches;
    switches = own_switches();
    if (number > 0)
        walk->elsewhere_count += cpu != walk->cpus[number % 2] || sched_getcpu() != cpu;
    walk->early_count += monotonic_now_ns() < walk->rest_end_ns;
    if (walk->count == STEP_COUNT || (walk->is_renewing && !relay_renew(walk->relay)))
        return RELAY_STOP;
    walk->rest_end_ns = monotonic_now_ns() + walk->rest_ns;
    relay_rest_until(walk->relay, walk->rest_end_ns);
    return walk->cpus[walk->count % 2];
}

static void start(struct walk *walk)
{
    find_cpus(walk->cpus);
    cleanup_error struct error *error = relay_create(take_step, walk, &walk->relay);
    assert_null(error);
    error = relay_start(walk->relay);
    assert_null(error);
}

static void steps_are_where_they_have_to_be_and_not_before_the_rest_has_ended(void **state)
{
    (void)state;
    struct walk walk = {.rest_ns = REST_NS};
    start(&walk);
    relay_wait(walk.relay);
    assert_int_equal(walk.count, STEP_COUNT);
    assert_int_equal(walk.elsewhere_count, 0);
    assert_int_equal(walk.early_count, 0);
    relay_destroy(walk.relay);
}

/* Only the end of its rest wakes a thread. Three threads begin: the one of the start, and those of the two CPUs. */
static void a_thread_is_woken_once_for_a_step(void **state)
{
    (void)state;
    struct walk walk = {.rest_ns = REST_NS};
    start(&walk);
    relay_wait(walk.relay);
    assert_in_range(walk.switches, 0, STEP_COUNT + STEP_COUNT / 4);
    relay_destroy(walk.relay);
}

static void steps_without_a_rest_follow_at_once(void **state)
{
    (void)state;
    struct walk walk = {.rest_ns = 0};
    start(&walk);
    relay_wait(walk.relay);
    assert_int_equal(walk.count, STEP_COUNT);
    assert_int_equal(walk.elsewhere_count, 0);
    relay_destroy(walk.relay);
}

static void threads_that_are_replaced_lose_no_step(void **state)
{
    (void)state;
    struct walk walk = {.rest_ns = REST_NS, .is_renewing = true};
    start(&walk);
    relay_wait(walk.relay);
    assert_int_equal(walk.count, STEP_COUNT);
    assert_int_equal(walk.elsewhere_count, 0);
    assert_int_equal(walk.early_count, 0);
    relay_destroy(walk.relay);
}

/* It would last for an hour, and the test fails by the time that it takes. */
static void a_relay_can_be_destroyed_during_a_rest(void **state)
{
    (void)state;
    struct walk walk = {.rest_ns = longest_ns};
    start(&walk);
    relay_destroy(walk.relay);
    assert_in_range(walk.count, 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_where_they_have_to_be_and_not_before_the_rest_has_ended),
        cmocka_unit_test(a_thread_is_woken_once_for_a_step),
        cmocka_unit_test(steps_without_a_rest_follow_at_once),
        cmocka_unit_test(threads_that_are_replaced_lose_no_step),
        cmocka_unit_test(a_relay_can_be_destroyed_during_a_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
