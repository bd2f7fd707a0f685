/* SPDX-License-Identifier: MIT */
#include "target/denial.h"

#include "base/buffer.h"
#include "proc_folder.h"
#include "target/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char stat_text[] =
    "7 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 1 1 1 1 0 0 0 0 0 0 "
    "0 0 17 3 0 0 0 0 0\n";

/* Who is who: the files of the fake /proc belong to us, so the target's user is told by its status. */
struct scene {
    unsigned our_user, their_user;
    const char *capabilities; /* hexadecimal */
    const char *ptrace_scope; /* NULL: no such file */
    const char *groups;       /* further text of our status */
};

static void put_scene(struct proc_folder *proc, const struct scene *scene)
{
    cleanup_buffer struct buffer ours = {0}, theirs = {0};
    buffer_format(&ours, "Name:\tpyspyc\nUid:\t%u\t%u\t%u\t%u\n%sCapEff:\t%s\n", scene->our_user, scene->our_user,
                  scene->our_user, scene->our_user, scene->groups ? scene->groups : "", scene->capabilities);
    buffer_format(&theirs, "Name:\tpython3\nTgid:\t7\nUid:\t%u\t0\t0\t0\n", scene->their_user);
    proc_folder_put_text(proc, "self/status", buffer_text(&ours));
    proc_folder_put_text(proc, "7/status", buffer_text(&theirs));
    proc_folder_put_text(proc, "7/stat", stat_text);
    proc_folder_put_text(proc, "7/maps", "");
    if (scene->ptrace_scope)
        proc_folder_put_text(proc, "sys/kernel/yama/ptrace_scope", scene->ptrace_scope);
}

/* Explains a denial in a scene and looks for words in the explanation. */
static void check_words(const struct scene *scene, const char *words)
{
    struct proc_folder proc;
    proc_folder_create(&proc);
    put_scene(&proc, scene);
    struct process *process = NULL;
    assert_null(process_open(proc.path, 7, &process));
    struct error *error = denial_explain(error_create(ERROR_PERMISSION, "refused"), process);
    process_destroy(process);
    proc_folder_destroy(&proc);
    assert_int_equal(error->kind, ERROR_PERMISSION);
    assert_memory_equal(error->sentence, "no permission: process 7", strlen("no permission: process 7"));
    bool has_words = strstr(error->sentence, words) != NULL;
    if (!has_words)
        print_error("told: %s\n", error->sentence);
    error_destroy(error);
    assert_true(has_words);
}

#define NO_CAPABILITY "0000000000000000"
#define CAPABILITY    "0000000000080000"

static void each_value_of_ptrace_scope_has_its_advice(void **state)
{
    (void)state;
    unsigned me = getuid();
    check_words(&(struct scene){me, me, NO_CAPABILITY, "0\n", NULL}, "CAP_SYS_PTRACE is missing");
    check_words(&(struct scene){me, me, NO_CAPABILITY, "1\n", NULL}, "(kernel.yama.ptrace_scope is 1)");
    check_words(&(struct scene){me, me, NO_CAPABILITY, "2\n", NULL}, "(kernel.yama.ptrace_scope is 2)");
    check_words(&(struct scene){me, me, NO_CAPABILITY, "3\n", NULL}, "(kernel.yama.ptrace_scope is 3)");
}

static void a_kernel_without_yama_is_not_blamed(void **state)
{
    (void)state;
    unsigned me = getuid();
    check_words(&(struct scene){me, me, NO_CAPABILITY, NULL, NULL}, "CAP_SYS_PTRACE is missing");
    check_words(&(struct scene){me, me, NO_CAPABILITY, "", NULL}, "CAP_SYS_PTRACE is missing");
    check_words(&(struct scene){me, me, NO_CAPABILITY, "x", NULL}, "CAP_SYS_PTRACE is missing");
}

static void another_users_process_is_told_by_both_numbers(void **state)
{
    (void)state;
    check_words(&(struct scene){1000, 1001, NO_CAPABILITY, "1\n", NULL}, "belongs to user 1001 and we are user 1000");
    check_words(&(struct scene){1000, 0, NO_CAPABILITY, "0\n", NULL}, "belongs to user 0 and we are user 1000");
}

static void a_process_whose_files_belong_to_another_is_not_dumpable(void **state)
{
    (void)state;
    unsigned other = getuid() + 1;
    check_words(&(struct scene){other, other, NO_CAPABILITY, "0\n", NULL}, "not dumpable");
    check_words(&(struct scene){other, other, NO_CAPABILITY, "1\n", NULL}, "not dumpable");
    check_words(&(struct scene){other, other, NO_CAPABILITY, "2\n", NULL}, "(kernel.yama.ptrace_scope is 2)");
}

static void with_the_capability_something_else_forbids_it(void **state)
{
    (void)state;
    unsigned me = getuid();
    check_words(&(struct scene){me, me, CAPABILITY, "1\n", NULL}, "although we have CAP_SYS_PTRACE");
    check_words(&(struct scene){me, me + 1, CAPABILITY, "2\n", NULL}, "although we have CAP_SYS_PTRACE");
    check_words(&(struct scene){me, me, CAPABILITY, "3\n", NULL}, "switched off until the next boot");
}

static void other_errors_are_left_alone(void **state)
{
    (void)state;
    struct error *error = error_create(ERROR_TARGET_GONE, "it has ended");
    assert_ptr_equal(denial_explain(error, NULL), error);
    error_destroy(error);
}

static void a_missing_status_does_no_harm(void **state)
{
    (void)state;
    struct proc_folder proc;
    proc_folder_create(&proc);
    proc_folder_put_text(&proc, "7/stat", stat_text);
    struct process *process = NULL;
    assert_null(process_open(proc.path, 7, &process));
    cleanup_error struct error *error = denial_explain(error_create(ERROR_PERMISSION, "refused"), process);
    assert_int_equal(error->kind, ERROR_PERMISSION);
    process_destroy(process);
    proc_folder_destroy(&proc);
}

/* CapEff stands behind Groups, which may be much longer than the rest. */
static void the_capability_of_a_user_of_many_groups_is_seen(void **state)
{
    (void)state;
    char groups[6001] = "Groups:\t";
    memset(groups + 8, '1', sizeof(groups) - 8);
    memcpy(groups + sizeof(groups) - 2, "\n", 2);
    check_words(&(struct scene){getuid(), getuid(), CAPABILITY, "1\n", groups}, "although we have CAP_SYS_PTRACE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_of_ptrace_scope_has_its_advice),
        cmocka_unit_test(a_kernel_without_yama_is_not_blamed),
        cmocka_unit_test(another_users_process_is_told_by_both_numbers),
        cmocka_unit_test(a_process_whose_files_belong_to_another_is_not_dumpable),
        cmocka_unit_test(with_the_capability_something_else_forbids_it),
        cmocka_unit_test(other_errors_are_left_alone),
        cmocka_unit_test(a_missing_status_does_no_harm),
        cmocka_unit_test(the_capability_of_a_user_of_many_groups_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
