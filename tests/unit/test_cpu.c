/* SPDX-License-Identifier: MIT */
#include "target/cpu.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { NICE = 5 };

/* What a thread saw of its scheduling. */
struct policies {
    bool is_taken, is_given_back;
    int before, during, of_child, after, nice;
};

static void *read_policy(void *argument)
{
    *(int *)argument = sched_getscheduler(0);
    return NULL;
}

static void *take_and_give_back(void *argument)
{
    struct policies *policies = argument;
    pthread_t child;
    setpriority(PRIO_PROCESS, 0, NICE);
    cpu_wake_promptly();
    policies->before = sched_getscheduler(0);
    policies->is_taken = cpu_take_precedence(0, true);
    policies->during = sched_getscheduler(0);
    if (pthread_create(&child, NULL, read_policy, &policies->of_child) == 0)
        pthread_join(child, NULL);
    policies->is_given_back = cpu_take_precedence(0, false);
    policies->after = sched_getscheduler(0);
    policies->nice = getpriority(PRIO_PROCESS, 0);
    return NULL;
}

static struct policies try_in_thread(void)
{
    struct policies policies = {.of_child = -1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, take_and_give_back, &policies), 0);
    pthread_join(thread, NULL);
    return policies;
}

/* Whether others than pyspyc may do it here: a machine, or a container, may allow nobody. */
static bool may_be_first(void)
{
    const struct sched_param least = {.sched_priority = 1}, none = {0};
    bool may = sched_setscheduler(0, SCHED_FIFO, &least) == 0;
    sched_setscheduler(0, SCHED_OTHER, &none);
    return may;
}

static void precedence_is_taken_and_given_back(void **state)
{
    (void)state;
    bool may = may_be_first();
    struct policies policies = try_in_thread();
    assert_int_equal(policies.is_taken, may);
    assert_int_equal(policies.before, SCHED_OTHER);
    assert_int_equal(policies.during & ~SCHED_RESET_ON_FORK, may ? SCHED_FIFO : SCHED_OTHER);
    assert_int_equal(policies.of_child, SCHED_OTHER);
    assert_true(policies.is_given_back);
    assert_int_equal(policies.after & ~SCHED_RESET_ON_FORK, SCHED_OTHER);
    assert_int_equal(policies.nice, NICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(precedence_is_taken_and_given_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
