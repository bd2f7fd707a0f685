/* SPDX-License-Identifier: MIT */
#include "target/thread_ids.h"

#include "proc_folder.h"
#include "target/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY_THREADS = 3000 };

static const char stat_text[] = "700 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 0 0 "
                                "0 0 0 0 0 0 17 3 0 0 0 0 0\n";

/* A process of procfs's namespace that runs in an inner one, where it is number 1. */
struct scene {
    struct proc_folder proc;
    struct process *process;
    struct thread_ids ids;
};

static void put_thread(struct scene *scene, pid_t tid, const char *status)
{
    char name[64];
    snprintf(name, sizeof(name), "700/task/%d/status", tid);
    proc_folder_put_text(&scene->proc, name, status);
}

static void put_inner(struct scene *scene, pid_t tid, pid_t inner)
{
    char status[64];
    snprintf(status, sizeof(status), "Name:\tx\nNSpid:\t%d\t%d\n", tid, inner);
    put_thread(scene, tid, status);
}

static void remove_thread(struct scene *scene, pid_t tid)
{
    char name[64];
    snprintf(name, sizeof(name), "700/task/%d/status", tid);
    proc_folder_remove(&scene->proc, name);
    snprintf(name, sizeof(name), "700/task/%d", tid);
    proc_folder_remove(&scene->proc, name);
}

static int set_up_with(void **state, const char *status)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    proc_folder_create(&scene->proc);
    proc_folder_put_text(&scene->proc, "700/stat", stat_text);
    proc_folder_put_text(&scene->proc, "700/status", status);
    assert_null(process_open(scene->proc.path, 700, &scene->process));
    *state = scene;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, "Tgid:\t700\nNSpid:\t700\t1\n");
}

static int set_up_without_namespace(void **state)
{
    return set_up_with(state, "Tgid:\t700\nNSpid:\t700\n");
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    thread_ids_deinit(&scene->ids);
    process_destroy(scene->process);
    proc_folder_destroy(&scene->proc);
    free(scene);
    return 0;
}

/* Looks a thread up at the begin of a sample. */
static pid_t find_anew(struct scene *scene, pid_t inner)
{
    thread_ids_begin(&scene->ids);
    return thread_ids_find(&scene->ids, scene->process, inner);
}

static void without_a_namespace_a_number_is_what_it_is(void **state)
{
    struct scene *scene = *state;
    assert_false(scene->process->has_inner_ids);
    assert_int_equal(find_anew(scene, 12), 12);
    assert_int_equal(scene->ids.count, 0);
}

static void inner_numbers_are_found_outside(void **state)
{
    struct scene *scene = *state;
    assert_true(scene->process->has_inner_ids);
    put_inner(scene, 700, 1);
    put_inner(scene, 1001, 2);
    put_inner(scene, 900, 3);
    assert_int_equal(find_anew(scene, 1), 700);
    assert_int_equal(thread_ids_find(&scene->ids, scene->process, 2), 1001);
    assert_int_equal(thread_ids_find(&scene->ids, scene->process, 3), 900);
    assert_int_equal(thread_ids_find(&scene->ids, scene->process, 700), 0);
}

static void the_innermost_number_counts(void **state)
{
    struct scene *scene = *state;
    put_thread(scene, 700, "NSpid:\t700\t20\t1\n");
    put_thread(scene, 701, "NSpid:\t701\t1\t2\n");
    assert_int_equal(find_anew(scene, 1), 700);
    assert_int_equal(find_anew(scene, 2), 701);
    assert_int_equal(find_anew(scene, 20), 0);
}

static void threads_are_listed_once_a_sample(void **state)
{
    struct scene *scene = *state;
    put_inner(scene, 700, 1);
    assert_int_equal(find_anew(scene, 2), 0);
    put_inner(scene, 701, 2);
    assert_int_equal(thread_ids_find(&scene->ids, scene->process, 2), 0);
    assert_int_equal(find_anew(scene, 2), 701);
}

static void a_known_thread_is_found_without_listing_again(void **state)
{
    struct scene *scene = *state;
    put_inner(scene, 700, 1);
    assert_int_equal(find_anew(scene, 1), 700);
    put_inner(scene, 701, 2);
    assert_int_equal(find_anew(scene, 1), 700);
    assert_int_equal(scene->ids.count, 1);
}

static void a_number_that_another_thread_has_got_is_noticed(void **state)
{
    struct scene *scene = *state;
    put_inner(scene, 700, 1);
    put_inner(scene, 701, 2);
    assert_int_equal(find_anew(scene, 2), 701);
    put_inner(scene, 701, 3);
    put_inner(scene, 650, 2);
    assert_int_equal(find_anew(scene, 2), 650);
    assert_int_equal(find_anew(scene, 3), 701);
    assert_int_equal(find_anew(scene, 1), 700);
}

static void a_thread_that_ended_is_not_found(void **state)
{
    struct scene *scene = *state;
    put_inner(scene, 700, 1);
    put_inner(scene, 701, 2);
    assert_int_equal(find_anew(scene, 2), 701);
    remove_thread(scene, 701);
    assert_int_equal(find_anew(scene, 2), 0);
    assert_int_equal(find_anew(scene, 1), 700);
    assert_int_equal(scene->ids.count, 1);
}

static void what_cannot_be_read_is_passed_over(void **state)
{
    struct scene *scene = *state;
    put_thread(scene, 700, "NSpid:\t700\t0\n");
    put_thread(scene, 701, "NSpid:\t701\tx\n");
    put_thread(scene, 702, "");
    put_inner(scene, 704, 5);
    proc_folder_make(&scene->proc, "700/task/703");
    proc_folder_make(&scene->proc, "700/task/rubbish");
    assert_int_equal(find_anew(scene, 5), 704);
    assert_int_equal(find_anew(scene, 0), 0);
    assert_int_equal(find_anew(scene, INT32_MAX), 0);
}

static void without_a_task_folder_nothing_is_found(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(find_anew(scene, 1), 0);
    assert_int_equal(find_anew(scene, 1), 0);
}

static void many_threads_are_found(void **state)
{
    struct scene *scene = *state;
    for (pid_t i = 1; i <= MANY_THREADS; i++)
        put_inner(scene, 700 + MANY_THREADS - i, i);
    for (pid_t i = 1; i <= MANY_THREADS; i += 100)
        assert_int_equal(find_anew(scene, i), 700 + MANY_THREADS - i);
    assert_int_equal(scene->ids.count, MANY_THREADS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_namespace_a_number_is_what_it_is, set_up_without_namespace,
                                        tear_down),
        TEST(inner_numbers_are_found_outside),
        TEST(the_innermost_number_counts),
        TEST(threads_are_listed_once_a_sample),
        TEST(a_known_thread_is_found_without_listing_again),
        TEST(a_number_that_another_thread_has_got_is_noticed),
        TEST(a_thread_that_ended_is_not_found),
        TEST(what_cannot_be_read_is_passed_over),
        TEST(without_a_task_folder_nothing_is_found),
        TEST(many_threads_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
