/* SPDX-License-Identifier: MIT */
#include "target/task.h"

#include "base/cleanup.h"
#include "proc_folder.h"
#include "target/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static const char stat_format[] = "%d (python3) %c 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 "
                                  "0 0 0 0 0 0 0 0 17 3 0 0 0 0 0\n";

struct scene {
    struct proc_folder proc;
    struct process *process;
};

static void put_state(struct scene *scene, pid_t tid, char state)
{
    char name[64], text[256];
    snprintf(name, sizeof(name), "7/task/%d/stat", tid);
    snprintf(text, sizeof(text), stat_format, tid, state);
    proc_folder_put_text(&scene->proc, name, text);
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    char text[256];
    proc_folder_create(&scene->proc);
    snprintf(text, sizeof(text), stat_format, 7, 'S');
    proc_folder_put_text(&scene->proc, "7/stat", text);
    put_state(scene, 8, 'S');
    assert_null(process_open(scene->proc.path, 7, &scene->process));
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    process_destroy(scene->process);
    proc_folder_destroy(&scene->proc);
    free(scene);
    return 0;
}

static void each_state_is_told(void **state)
{
    struct scene *scene = *state;
    static const struct {
        char letter;
        bool lives, is_active, is_stopped;
    } rows[] = {{'R', true, true, false}, {'S', true, false, false}, {'D', true, false, false},
                {'T', true, false, true}, {'t', true, false, true},  {'I', true, false, false},
                {'Z', false, 0, 0},       {'X', false, 0, 0}};
    struct task task;
    assert_null(task_init(&task, scene->process, 8));
    assert_int_equal(task.tid, 8);
    for (size_t i = 0; i < array_size(rows); i++) {
        struct task_state found = {.cpu = -7};
        put_state(scene, 8, rows[i].letter);
        assert_int_equal(task_read_state(&task, &found), rows[i].lives);
        assert_int_equal(found.cpu, rows[i].lives ? 3 : -7);
        if (rows[i].lives) {
            assert_int_equal(found.is_active, rows[i].is_active);
            assert_int_equal(found.is_stopped, rows[i].is_stopped);
            assert_int_equal(found.is_deaf, rows[i].letter == 'D');
        }
    }
    task_deinit(&task);
}

static void a_real_time_thread_is_urgent(void **state)
{
    struct scene *scene = *state;
    struct task task;
    struct task_state found;
    char text[256];
    assert_null(task_init(&task, scene->process, 8));
    assert_true(task_read_state(&task, &found));
    assert_false(found.is_urgent);
    snprintf(text, sizeof(text), stat_format, 8, 'R');
    char *policy = strstr(text, " 17 3 0 0 ");
    assert_non_null(policy);
    memcpy(policy, " 17 3 9 1 ", strlen(" 17 3 9 1 "));
    proc_folder_put_text(&scene->proc, "7/task/8/stat", text);
    assert_true(task_read_state(&task, &found));
    assert_true(found.is_urgent);
    task_deinit(&task);
}

static void a_text_that_is_no_stat_has_no_state(void **state)
{
    struct scene *scene = *state;
    static const char *const texts[] = {"", "8 (python3)", "8 (python3) R 1", "\xff\xff"};
    struct task task;
    struct task_state found;
    assert_null(task_init(&task, scene->process, 8));
    for (size_t i = 0; i < array_size(texts); i++) {
        proc_folder_put_text(&scene->proc, "7/task/8/stat", texts[i]);
        assert_false(task_read_state(&task, &found));
    }
    task_deinit(&task);
}

static void a_thread_that_does_not_exist_is_gone(void **state)
{
    struct scene *scene = *state;
    static const pid_t tids[] = {9, 0, -1, INT32_MAX};
    for (size_t i = 0; i < array_size(tids); i++) {
        struct task task;
        cleanup_error struct error *error = task_init(&task, scene->process, tids[i]);
        assert_non_null(error);
        assert_int_equal(error->kind, ERROR_TARGET_GONE);
        assert_int_equal(task.stat, -1);
        task_deinit(&task);
    }
}

static void a_thread_that_sleeps_at_a_futex_is_told_from_others(void **state)
{
    struct scene *scene = *state;
    struct task task;
    remote_addr futex = 0;
    char text[128];
    assert_null(task_init(&task, scene->process, 8));
    assert_false(task_read_futex(&task, &futex));
    snprintf(text, sizeof(text), "%d 0x7f1e175ad108 0x89 0x0 0x0 0x0 0x0 0x1 0x2\n", SYS_futex);
    proc_folder_put_text(&scene->proc, "7/task/8/syscall", text);
    assert_true(task_read_futex(&task, &futex));
    assert_int_equal(futex, 0x7f1e175ad108);
    snprintf(text, sizeof(text), "%d 0x7f1e175ad108 0x89 0x0 0x0 0x0 0x0 0x1 0x2\n", SYS_futex + 1);
    proc_folder_put_text(&scene->proc, "7/task/8/syscall", text);
    assert_false(task_read_futex(&task, &futex));
    proc_folder_put_text(&scene->proc, "7/task/8/syscall", "running\n");
    assert_false(task_read_futex(&task, &futex));
    task_deinit(&task);
}

static void whether_a_thread_runs_is_told_by_a_word(void **state)
{
    struct scene *scene = *state;
    static const struct {
        const char *text;
        enum task_activity activity;
        remote_addr futex;
    } rows[] = {
        {"running\n", TASK_RUNS, 0},
        {"202 0x7f1e175ad108 0x189 0x0 0x7ffd5fcd2560 0x0 0xffffffff 0x7ffd5fcd24f8 0x7f9e280028ab\n", TASK_SLEEPS,
         0x7f1e175ad108},
        {"-1 0x7ffd5fcd2520 0x7ffd5fcd256\n", TASK_SLEEPS, 0},
        {"230 0x0 0x0 0x7ffd5fcd2520 0x7ffd5fcd2560 0x0 0x0 0x7ffd5fcd24f8 0x7f9e280028ab\n", TASK_SLEEPS, 0},
        {"0 0x0 0x7ffd5fcd2520 0x1 0x0 0x0 0x0 0x7ffd5fcd24f8 0x7f9e280028ab\n", TASK_SLEEPS, 0},
        {"-1 0x0 0x0\n", TASK_UNKNOWN, 0},
        {"0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n", TASK_UNKNOWN, 0},
        {"", TASK_UNKNOWN, 0},
    };
    struct task task;
    remote_addr futex = 1;
    assert_null(task_init(&task, scene->process, 8));
    assert_int_equal(task_read_activity(&task, &futex), TASK_UNKNOWN);
    assert_int_equal(futex, 0);
    for (size_t i = 0; i < array_size(rows); i++) {
        proc_folder_put_text(&scene->proc, "7/task/8/syscall", rows[i].text);
        assert_int_equal(task_read_activity(&task, &futex), rows[i].activity);
        assert_int_equal(futex, rows[i].futex);
    }
    task_deinit(&task);
}

static void without_descriptors_files_are_opened_anew(void **state)
{
    struct scene *scene = *state;
    struct rlimit before;
    struct task task;
    struct task_state found = {0};
    struct task_times times;
    proc_folder_put_text(&scene->proc, "7/task/8/schedstat", "2463 1 77\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int last = dup(scene->process->directory);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)last + 1, before.rlim_max}), 0);
    struct error *error = task_init(&task, scene->process, 8);
    close(last);
    assert_null(error);
    assert_int_equal(task.stat, -1);
    put_state(scene, 8, 'R');
    assert_true(task_read_state(&task, &found));
    assert_true(found.is_active);
    assert_true(task_read_times(&task, &times));
    assert_int_equal(times.run_ns, 2463);
    assert_int_equal(times.runs, 77);
    task_deinit(&task);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void as_many_tasks_are_allowed_as_can_be(void **state)
{
    (void)state;
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = (struct rlimit){before.rlim_max < 64 ? before.rlim_max : 64, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    task_allow_many();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_cur == before.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void nothing_is_known_of_a_thread_that_the_kernel_does_not_have(void **state)
{
    (void)state;
    struct task task = TASK_NONE;
    struct task_state found;
    assert_true(task_read_state(&task, &found));
    assert_false(found.is_active);
    assert_int_equal(found.cpu, -1);
    assert_false(task_has_departure(&task));
    assert_false(task_note_departures(&task, true));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_state_is_told),
        TEST(a_real_time_thread_is_urgent),
        TEST(a_text_that_is_no_stat_has_no_state),
        TEST(a_thread_that_does_not_exist_is_gone),
        TEST(a_thread_that_sleeps_at_a_futex_is_told_from_others),
        TEST(whether_a_thread_runs_is_told_by_a_word),
        TEST(without_descriptors_files_are_opened_anew),
        TEST(as_many_tasks_are_allowed_as_can_be),
        TEST(nothing_is_known_of_a_thread_that_the_kernel_does_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
