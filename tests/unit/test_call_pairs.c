/* SPDX-License-Identifier: MIT */
#include "sampler/call_pairs.h"

#include "profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { DEPTH_LIMIT = 8 };

/* A stack from the outside in, and how many samples have it. */
struct stack {
    const char *names[DEPTH_LIMIT]; /* "<GC>" and "MainThread" are what they are; the others are functions */
    uint64_t count;
};

static uint32_t frame_of(struct profile *profile, const char *name)
{
    struct profile_frame frame = {.kind = FRAME_PYTHON, .name = profile_intern(profile, name, strlen(name)), .line = 1};
    if (strcmp(name, "<GC>") == 0)
        frame.kind = FRAME_MARK;
    else if (strcmp(name, "MainThread") == 0)
        frame.kind = FRAME_THREAD;
    if (frame.kind != FRAME_PYTHON)
        frame.line = 0;
    frame.file = PROFILE_NONE;
    return profile_intern_frame(profile, &frame);
}

static struct call_pairs judge(const struct stack *stacks, size_t count)
{
    struct profile *profile;
    struct call_pairs pairs;
    assert_null(profile_create("test", "test", &profile));
    for (size_t i = 0; i < count; i++) {
        uint32_t node = profile_child(profile, PROFILE_ROOT, frame_of(profile, "MainThread"));
        for (size_t k = 0; k < DEPTH_LIMIT && stacks[i].names[k]; k++)
            node = profile_child(profile, node, frame_of(profile, stacks[i].names[k]));
        profile_count(profile, node, stacks[i].count);
    }
    assert_null(call_pairs_judge(profile, &pairs));
    profile_destroy(profile);
    return pairs;
}

static void what_the_program_does_is_possible(void **state)
{
    (void)state;
    static const struct stack stacks[] = {
        {{"<module>"}, 1},
        {{"<module>", "<module>"}, 2},
        {{"<module>", "one_round"}, 4},
        {{"<module>", "one_round", "<GC>"}, 8},
        {{"<module>", "one_round", "a_3"}, 16},
        {{"<module>", "one_round", "a_3", "b_3"}, 32},
        {{"<module>", "one_round", "a_3", "<GC>"}, 64},
        {{"<module>", "_find_and_load", "<GC>", "exec_module"}, 128},
    };
    struct call_pairs pairs = judge(stacks, sizeof(stacks) / sizeof(stacks[0]));
    assert_int_equal(pairs.impossible, 0);
    assert_int_equal(pairs.seen, 16 + 32 + 64);
    assert_string_equal(pairs.example, "");
}

static void each_false_call_is_noticed(void **state)
{
    (void)state;
    static const struct stack stacks[] = {
        {{"<module>", "one_round", "a_3", "b_4"}, 3},
        {{"<module>", "one_round", "b_4"}, 3},
        {{"<module>", "a_3"}, 3},
        {{"a_3"}, 3},
        {{"<module>", "one_round", "a_3", "a_3"}, 3},
        {{"<module>", "one_round", "a_3", "b_3", "b_3"}, 3},
        {{"<module>", "one_round", "a_3", "b_3", "a_3"}, 3},
        {{"<module>", "one_round", "one_round"}, 3},
        {{"<module>", "one_round", "a_3", "one_round"}, 3},
        {{"<module>", "one_round", "a_3", "b_3", "<module>"}, 3},
        {{"<module>", "one_round", "a_3", "<GC>", "b_4"}, 3},
        {{"<module>", "one_round", "a_3", "b_3", "other"}, 3},
        {{"<module>", "other", "b_3"}, 3},
    };
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        struct call_pairs pairs = judge(&stacks[i], 1);
        assert_int_equal(pairs.impossible, 3);
        assert_string_not_equal(pairs.example, "");
    }
    struct call_pairs pairs = judge(stacks, 1);
    assert_string_equal(pairs.example, "a_3 -> b_4");
}

/* What is above a false call is counted with it, once. */
static void a_stack_is_counted_once(void **state)
{
    (void)state;
    static const struct stack stacks[] = {
        {{"<module>", "one_round", "b_1", "a_2", "b_3"}, 5},
        {{"<module>", "one_round"}, 7},
    };
    struct call_pairs pairs = judge(stacks, 2);
    assert_int_equal(pairs.impossible, 5);
    assert_int_equal(pairs.seen, 5);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    char name[1000];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct stack stack = {{"<module>", "one_round", "a_1", name}, 1};
    struct call_pairs pairs = judge(&stack, 1);
    assert_int_equal(pairs.impossible, 1);
    assert_memory_equal(pairs.example, "a_1 -> xxxx", 11);
}

static void an_empty_profile_is_fine(void **state)
{
    (void)state;
    struct call_pairs pairs = judge(NULL, 0);
    assert_int_equal(pairs.seen + pairs.impossible, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_program_does_is_possible), cmocka_unit_test(each_false_call_is_noticed),
        cmocka_unit_test(a_stack_is_counted_once),           cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(an_empty_profile_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
