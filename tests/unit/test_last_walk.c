/* SPDX-License-Identifier: MIT */
#include "python/last_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { LOOK_AHEAD = 32, THREAD_LIMIT = 256, FRAME_LIMIT = 16384 };

static const remote_addr THREAD = 0x1000, OTHER = 0x2000;

/* Walks a stack whose frames are at first, first + 1, ... */
static void walk(struct last_walk *last_walk, remote_addr thread, remote_addr first, unsigned count)
{
    last_walk_begin_thread(last_walk, thread);
    for (unsigned i = 0; i < count; i++)
        last_walk_add(last_walk, &(struct walked_frame){.address = first + i, .line = (int32_t)i});
}

/* How many of the frames of a stack are remembered in its next walk, which is made. */
static unsigned count_known(struct last_walk *last_walk, remote_addr thread, remote_addr first, unsigned count)
{
    unsigned known = 0;
    last_walk_begin_thread(last_walk, thread);
    for (unsigned i = 0; i < count; i++) {
        const struct walked_frame *frame = last_walk_find(last_walk, first + i);
        if (frame)
            assert_int_equal(frame->address, first + i);
        known += frame != NULL;
        last_walk_add(last_walk, &(struct walked_frame){.address = first + i});
    }
    return known;
}

static void frames_that_are_still_there_are_known(void **state)
{
    (void)state;
    struct last_walk last_walk = {0};
    assert_int_equal(count_known(&last_walk, THREAD, 100, 50), 0);
    assert_int_equal(count_known(&last_walk, THREAD, 100, 50), 50);
    assert_int_equal(count_known(&last_walk, THREAD, 90, 60), 50);                  /* it called ten functions, */
    assert_int_equal(count_known(&last_walk, THREAD, 90 + LOOK_AHEAD - 1, 29), 29); /* and returned from many */
    assert_int_equal(count_known(&last_walk, THREAD, 500, 10), 0);
    last_walk_deinit(&last_walk);
    last_walk_deinit(&last_walk);
}

static void each_thread_has_its_own_stack(void **state)
{
    (void)state;
    struct last_walk last_walk = {0};
    walk(&last_walk, THREAD, 100, 5);
    walk(&last_walk, OTHER, 200, 5);
    assert_int_equal(count_known(&last_walk, OTHER, 100, 5), 0);
    assert_int_equal(count_known(&last_walk, THREAD, 100, 5), 5);
    assert_int_equal(count_known(&last_walk, OTHER, 100, 5), 5);
    last_walk_deinit(&last_walk);
}

/* Threads without a common GIL are read in samples of their own. */
static void a_thread_that_is_walked_between_two_walks_of_another_is_remembered(void **state)
{
    (void)state;
    struct last_walk last_walk = {0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(count_known(&last_walk, THREAD, 100, 5), i > 0 ? 5 : 0);
        assert_int_equal(count_known(&last_walk, OTHER, 200, 5), i > 0 ? 5 : 0);
    }
    last_walk_deinit(&last_walk);
}

static void what_is_beyond_the_limits_is_not_remembered(void **state)
{
    (void)state;
    struct last_walk last_walk = {0};
    walk(&last_walk, THREAD, 100, FRAME_LIMIT + 10);
    assert_int_equal(count_known(&last_walk, THREAD, 100, FRAME_LIMIT + 10), FRAME_LIMIT);
    /* A full store does not keep others out for good. */
    walk(&last_walk, OTHER, 1, 10);
    assert_int_equal(count_known(&last_walk, OTHER, 1, 10), 10);
    last_walk_deinit(&last_walk);
    for (remote_addr thread = 1; thread <= THREAD_LIMIT + 10; thread++)
        walk(&last_walk, thread, thread, 1);
    for (remote_addr thread = THREAD_LIMIT + 1; thread <= THREAD_LIMIT + 10; thread++)
        assert_int_equal(count_known(&last_walk, thread, thread, 1), 1);
    last_walk_deinit(&last_walk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(frames_that_are_still_there_are_known),
    cmocka_unit_test(each_thread_has_its_own_stack),
    cmocka_unit_test(a_thread_that_is_walked_between_two_walks_of_another_is_remembered),
    cmocka_unit_test(what_is_beyond_the_limits_is_not_remembered),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
