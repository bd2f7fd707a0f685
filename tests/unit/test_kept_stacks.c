/* SPDX-License-Identifier: MIT */
#include "memory/kept_stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LEN = 3000 };

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct kept_stacks));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    kept_stacks_deinit(*state);
    free(*state);
    return 0;
}

static struct kept_stack *find(struct kept_stacks *stacks, remote_addr end)
{
    return &stacks->stacks[kept_stacks_find(stacks, end)];
}

/* Hands a stack over as two parties do who keep it: only what is new. */
static size_t hand_over_stack(struct kept_stacks *here, struct kept_stacks *there, remote_addr end,
                              const unsigned char *bytes, size_t len)
{
    uint32_t place = kept_stacks_find(here, end);
    size_t new_len = len - kept_stack_same_len(&here->stacks[place], bytes, len);
    assert_true(kept_stack_update(&here->stacks[place], bytes, new_len, len));
    assert_true(kept_stack_update(&there->stacks[place], bytes, new_len, len));
    assert_int_equal(there->stacks[place].len, len);
    assert_memory_equal(kept_stack_bytes(&there->stacks[place]), bytes, len);
    return new_len;
}

static void only_what_is_new_is_told(void **state)
{
    struct kept_stacks there = {0};
    unsigned char bytes[LEN];
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    assert_int_equal(hand_over_stack(*state, &there, 0x10000, bytes + 1000, 2000), 2000);
    assert_int_equal(hand_over_stack(*state, &there, 0x10000, bytes + 1000, 2000), 0);
    bytes[1500]++;
    assert_int_equal(hand_over_stack(*state, &there, 0x10000, bytes + 1000, 2000), 501);
    assert_int_equal(hand_over_stack(*state, &there, 0x10000, bytes, 3000), 1000); /* deeper */
    assert_int_equal(hand_over_stack(*state, &there, 0x10000, bytes + 2990, 10), 0);
    assert_int_equal(hand_over_stack(*state, &there, 0x10000, bytes, 3000), 2990); /* what was left is forgotten */
    bytes[LEN - 1]++;
    assert_int_equal(hand_over_stack(*state, &there, 0x10000, bytes, 3000), 3000);
    assert_int_equal(hand_over_stack(*state, &there, 0x20000, bytes, 3000), 3000); /* another stack */
    kept_stacks_deinit(&there);
}

static void random_stacks_arrive_as_they_were(void **state)
{
    struct kept_stacks there = {0};
    unsigned char bytes[8][LEN] = {{0}};
    srand(1);
    for (int round = 0; round < 20000; round++) {
        unsigned which = (unsigned)rand() % 8;
        size_t len = 1 + (size_t)rand() % LEN;
        for (int i = rand() % 3; i > 0; i--)
            bytes[which][(size_t)rand() % LEN] = (unsigned char)rand();
        hand_over_stack(*state, &there, 0x10000 * (which + 1), bytes[which] + LEN - len, len);
    }
    kept_stacks_deinit(&there);
}

static void the_one_that_nobody_asked_for_gives_its_place(void **state)
{
    struct kept_stacks *stacks = *state;
    const unsigned char byte = 1;
    for (remote_addr end = 1; end <= KEPT_STACK_LIMIT; end++)
        assert_true(kept_stack_update(find(stacks, end), &byte, 1, 1));
    assert_int_equal(find(stacks, 1)->len, 1);
    assert_int_equal(find(stacks, KEPT_STACK_LIMIT + 1)->len, 0);
    for (remote_addr end = 3; end <= KEPT_STACK_LIMIT; end++)
        assert_int_equal(find(stacks, end)->len, 1);
    assert_int_equal(find(stacks, 1)->len, 1);
    assert_int_equal(find(stacks, 2)->len, 0);
    kept_stacks_forget(stacks);
    assert_int_equal(find(stacks, 1)->len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_is_new_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(random_stacks_arrive_as_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_one_that_nobody_asked_for_gives_its_place, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
