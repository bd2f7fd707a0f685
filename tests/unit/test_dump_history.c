/* SPDX-License-Identifier: MIT */
#include "profile/dump_history.h"

#include "base/cleanup.h"
#include "profile/process_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A thread with one frame. */
struct seen {
    int64_t pid;
    uint64_t id, os_id;
    const char *function;
    int32_t line;
    const char *failure;
};

/* Compares one thread, and returns for how many readings it is unchanged. */
static uint32_t compare(struct dump_history *history, const struct seen *seen)
{
    struct dump_frame frame = {
        .name = {(char *)seen->function, strlen(seen->function)},
        .filename = {(char *)"/a.py", 5},
        .line = seen->line,
    };
    struct dump_thread thread = {
        .id = seen->id, .os_id = seen->os_id, .frames = &frame, .frame_count = 1, .failure = seen->failure};
    struct process_dump dump = {.pid = seen->pid, .threads = &thread, .thread_count = 1};
    assert_true(dump_history_compare(history, &dump));
    return thread.unchanged;
}

static void readings_with_the_same_stack_are_counted(void **state)
{
    (void)state;
    cleanup_dump_history struct dump_history history = {0};
    struct seen thread = {1, 10, 11, "f", 3, NULL};
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(compare(&history, &thread), i);
        dump_history_next(&history);
    }
    thread.line = 4;
    assert_int_equal(compare(&history, &thread), 0);
    dump_history_next(&history);
    assert_int_equal(compare(&history, &thread), 1);
    dump_history_next(&history);
    thread.function = "g";
    assert_int_equal(compare(&history, &thread), 0);
    dump_history_next(&history);
    /* Who was not there in the last reading begins anew. */
    dump_history_next(&history);
    assert_int_equal(compare(&history, &thread), 0);
}

static void threads_are_told_from_each_other(void **state)
{
    (void)state;
    cleanup_dump_history struct dump_history history = {0};
    static const struct seen threads[] = {
        {1, 10, 11, "f", 3, NULL}, {2, 10, 11, "f", 3, NULL}, {1, 20, 11, "f", 3, NULL}, {1, 10, 12, "f", 3, NULL}};
    assert_int_equal(compare(&history, &threads[0]), 0);
    dump_history_next(&history);
    for (size_t i = 0; i < array_size(threads); i++)
        assert_int_equal(compare(&history, &threads[i]), i == 0);
    dump_history_next(&history);
    for (size_t i = 0; i < array_size(threads); i++)
        assert_int_equal(compare(&history, &threads[i]), i == 0 ? 2 : 1);
}

static void a_stack_that_is_not_whole_is_not_called_unchanged(void **state)
{
    (void)state;
    cleanup_dump_history struct dump_history history = {0};
    const struct seen thread = {1, 10, 11, "f", 3, "memory not mapped"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(compare(&history, &thread), 0);
        dump_history_next(&history);
    }
}

static void many_threads_are_kept(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    cleanup_dump_history struct dump_history history = {0};
    for (uint32_t reading = 0; reading < 3; reading++) {
        for (uint64_t i = 1; i <= MANY; i++) {
            const struct seen thread = {1, i, i, "f", (int32_t)i, NULL};
            assert_int_equal(compare(&history, &thread), reading);
        }
        dump_history_next(&history);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_with_the_same_stack_are_counted),
        cmocka_unit_test(threads_are_told_from_each_other),
        cmocka_unit_test(a_stack_that_is_not_whole_is_not_called_unchanged),
        cmocka_unit_test(many_threads_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
