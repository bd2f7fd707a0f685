/* SPDX-License-Identifier: MIT */
#include "target/process_list.h"

#include "base/cleanup.h"
#include "proc_folder.h"
#include "target/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void put_stat(struct proc_folder *folder, const char *name, char state)
{
    char text[256];
    snprintf(
        text, sizeof(text),
        "7 (python3) %c 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 500 1000 10 18446744073709551615 4096 8192 0 0 0 "
        "0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
        state);
    proc_folder_put_text(folder, name, text);
}

static void it_lists_numbers_in_order(void **state)
{
    (void)state;
    struct proc_folder folder;
    cleanup_free pid_t *pids = NULL;
    uint32_t count = 0;
    proc_folder_create(&folder);
    proc_folder_make(&folder, "70");
    proc_folder_make(&folder, "7");
    proc_folder_make(&folder, "sys");
    proc_folder_make(&folder, "1000");
    assert_null(process_list(folder.path, &pids, &count));
    assert_int_equal(count, 3);
    assert_int_equal(pids[0], 7);
    assert_int_equal(pids[1], 70);
    assert_int_equal(pids[2], 1000);
    proc_folder_destroy(&folder);
}

static void it_fails_without_a_folder(void **state)
{
    (void)state;
    pid_t *pids = NULL;
    uint32_t count = 0;
    struct error *error = process_list("/nowhere", &pids, &count);
    assert_non_null(error);
    assert_null(pids);
    error_destroy(error);
}

/* The main thread sleeps. */
static struct process_summary summarize(char state_of_other)
{
    struct proc_folder folder;
    struct process *process = NULL;
    struct process_summary summary = {0};
    proc_folder_create(&folder);
    put_stat(&folder, "7/stat", 'S');
    put_stat(&folder, "7/task/7/stat", 'S');
    put_stat(&folder, "7/task/8/stat", state_of_other);
    proc_folder_put_text(&folder, "7/status", "Name:\tpython3\nTgid:\t7\nPPid:\t5\nUid:\t1000\t1001\t1002\t1003\n");
    assert_null(process_open(folder.path, 7, &process));
    assert_true(process_summarize(process, &summary));
    process_destroy(process);
    proc_folder_destroy(&folder);
    return summary;
}

static void it_says_what_a_process_is(void **state)
{
    (void)state;
    struct process_summary summary = summarize('D');
    assert_int_equal(summary.parent, 5);
    assert_int_equal(summary.user, 1000);
    assert_int_equal(summary.thread_count, 2);
    assert_int_equal(summary.state, 'S');
}

static void it_runs_when_any_thread_does(void **state)
{
    (void)state;
    assert_int_equal(summarize('R').state, 'R');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lists_numbers_in_order),
        cmocka_unit_test(it_fails_without_a_folder),
        cmocka_unit_test(it_says_what_a_process_is),
        cmocka_unit_test(it_runs_when_any_thread_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
