/* SPDX-License-Identifier: MIT */
#include "sampler/c_stacks.h"

#include "memory/maps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { STACK = 0x10000, STACK_END = 0x20000, FRAMES_END = 0x1e000, LIMIT = 4096 };

static struct c_stacks stacks_of_main(remote_addr stack_start)
{
    struct mapping mappings[] = {
        {.start = 0x1000, .end = 0x2000, .path = "/bin/python"},
        {.start = STACK, .end = STACK_END, .path = "[stack]"},
        {.start = STACK_END, .end = 0x30000, .path = "[vdso]"},
    };
    const struct maps maps = {.mappings = mappings, .count = 3};
    struct c_stacks stacks;
    c_stacks_init(&stacks, NULL, &maps, stack_start, LIMIT);
    return stacks;
}

static void arguments_and_environment_are_no_frames(void **state)
{
    (void)state;
    const struct c_stacks stacks = stacks_of_main(FRAMES_END);
    assert_in_range(c_stack_end(&stacks, FRAMES_END - 800), FRAMES_END + 8, FRAMES_END + 256);
}

/* The kernel does not tell everybody, and a program can say anything. */
static void a_start_that_is_not_on_the_stack_is_none(void **state)
{
    (void)state;
    const remote_addr starts[] = {0, 1, STACK - 8, STACK, STACK_END - 8, STACK_END, STACK_END + 8, UINT64_MAX};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        const struct c_stacks stacks = stacks_of_main(starts[i]);
        assert_int_equal(c_stack_end(&stacks, STACK + 800), STACK_END);
    }
}

static void frames_further_out_than_the_start_go_to_the_end(void **state)
{
    (void)state;
    const struct c_stacks stacks = stacks_of_main(FRAMES_END);
    assert_int_equal(c_stack_end(&stacks, FRAMES_END + 256), STACK_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_and_environment_are_no_frames),
        cmocka_unit_test(a_start_that_is_not_on_the_stack_is_none),
        cmocka_unit_test(frames_further_out_than_the_start_go_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
