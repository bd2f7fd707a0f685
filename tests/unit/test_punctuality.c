/* SPDX-License-Identifier: MIT */
#include "sampler/punctuality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { INTERVAL_NS = 1000000 };

/* Who looks at a clock once an interval. */
struct scene {
    struct punctuality punctuality;
    uint64_t now_ns;
};

/* Wakes up so many times, and goes to sleep at once. */
static void wake_up(struct scene *scene, uint64_t times, uint64_t late_ns)
{
    for (uint64_t i = 0; i < times; i++) {
        scene->now_ns += INTERVAL_NS;
        punctuality_note_wake_up(&scene->punctuality, scene->now_ns, late_ns);
        punctuality_note_sleep(&scene->punctuality, scene->now_ns);
    }
}

static void be_late(struct scene *scene)
{
    wake_up(scene, PUNCTUALITY_LATE_LIMIT, PUNCTUALITY_LATE_NS + 1);
}

static void who_is_on_time_needs_no_precedence(void **state)
{
    (void)state;
    struct scene scene = {.now_ns = 1};
    wake_up(&scene, UINT64_C(100) * PUNCTUALITY_WINDOW, PUNCTUALITY_LATE_NS);
    assert_false(scene.punctuality.has_precedence);
}

static void one_late_wake_up_a_window_is_no_matter(void **state)
{
    (void)state;
    struct scene scene = {.now_ns = 1};
    for (int i = 0; i < 100; i++) {
        wake_up(&scene, PUNCTUALITY_LATE_LIMIT - 1, PUNCTUALITY_LATE_NS + 1);
        wake_up(&scene, PUNCTUALITY_WINDOW - (PUNCTUALITY_LATE_LIMIT - 1), 0);
        assert_false(scene.punctuality.has_precedence);
    }
}

static void who_is_late_has_precedence_for_a_term(void **state)
{
    (void)state;
    struct scene scene = {.now_ns = 1};
    be_late(&scene);
    wake_up(&scene, PUNCTUALITY_TERM_NS / INTERVAL_NS - 1, 0);
    assert_true(scene.punctuality.has_precedence);
    wake_up(&scene, 1, 0);
    assert_false(scene.punctuality.has_precedence);
    be_late(&scene);
    assert_true(scene.punctuality.has_precedence);
}

/* Works for so long behind so many wake-ups. */
static void work(struct scene *scene, int times, uint64_t work_ns)
{
    for (int i = 0; i < times; i++) {
        scene->now_ns += INTERVAL_NS;
        punctuality_note_wake_up(&scene->punctuality, scene->now_ns, 0);
        scene->now_ns += work_ns;
        punctuality_note_sleep(&scene->punctuality, scene->now_ns);
    }
}

static void who_works_long_has_no_precedence(void **state)
{
    (void)state;
    struct scene scene = {.now_ns = 1};
    be_late(&scene);
    work(&scene, PUNCTUALITY_WINDOW, PUNCTUALITY_WORK_NS);
    assert_true(scene.punctuality.has_precedence);
    work(&scene, PUNCTUALITY_LONG_LIMIT, PUNCTUALITY_WORK_NS + 1);
    assert_false(scene.punctuality.has_precedence);
    wake_up(&scene, PUNCTUALITY_TERM_NS / INTERVAL_NS, PUNCTUALITY_LATE_NS + 1);
    assert_false(scene.punctuality.has_precedence);
    be_late(&scene);
    assert_true(scene.punctuality.has_precedence);
}

static void who_works_long_now_and_then_keeps_it(void **state)
{
    (void)state;
    struct scene scene = {.now_ns = 1};
    be_late(&scene);
    for (int i = 0; i < 10; i++) {
        work(&scene, PUNCTUALITY_LONG_LIMIT - 1, 100 * PUNCTUALITY_WORK_NS);
        work(&scene, PUNCTUALITY_WINDOW - (PUNCTUALITY_LONG_LIMIT - 1), 0);
        assert_true(scene.punctuality.has_precedence);
    }
}

static void long_work_without_precedence_is_no_matter(void **state)
{
    (void)state;
    struct scene scene = {.now_ns = 1};
    wake_up(&scene, 1, 0);
    scene.now_ns += UINT64_C(1000) * PUNCTUALITY_WORK_NS;
    punctuality_note_sleep(&scene.punctuality, scene.now_ns);
    be_late(&scene);
    assert_true(scene.punctuality.has_precedence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_on_time_needs_no_precedence),
        cmocka_unit_test(one_late_wake_up_a_window_is_no_matter),
        cmocka_unit_test(who_is_late_has_precedence_for_a_term),
        cmocka_unit_test(who_works_long_has_no_precedence),
        cmocka_unit_test(who_works_long_now_and_then_keeps_it),
        cmocka_unit_test(long_work_without_precedence_is_no_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
