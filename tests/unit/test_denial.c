/* SPDX-License-Identifier: MIT */
#include "target/denial.h"

#include "base/buffer.h"
#include "proc_folder.h"
#include "target/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char stat_text[] =
    "7 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 1 1 1 1 0 0 0 0 0 0 "
    "0 0 17 3 0 0 0 0 0\n";

/* What the fake /proc says. Its files belong to us, so the target's user is ours unless it is to be another one. */
struct scene {
    unsigned our_user, their_user;
    const char *capabilities; /* lines of our status */
    const char *ptrace_scope; /* NULL: no such file */
    const char *their_lines;  /* further lines of the target's status */
    const char *their_map;    /* uid_map; NULL: as ours */
    const char *our_map;      /* NULL: all users */
    const char *label;        /* of a security module */
    unsigned their_parent;
};

/* Linux include/uapi/linux/capability.h: CAP_SYS_PTRACE is 19. */
#define NO_CAPABILITY  "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n"
#define CAPABILITY     "CapPrm:\t0000000000080000\nCapEff:\t0000000000080000\nCapBnd:\t000001ffffffffff\n"
#define PERMITTED_ONLY "CapPrm:\t0000000000080000\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n"
#define DOCKER         "CapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n"
#define DOCKER_USER    "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\n"
#define WHOLE_MAP      "         0          0 4294967295\n"

static void put_scene(struct proc_folder *proc, const struct scene *scene)
{
    cleanup_buffer struct buffer ours = {0}, theirs = {0};
    unsigned us = scene->our_user, them = scene->their_user;
    buffer_format(&ours, "Name:\tpyspyc\nPid:\t5\nPPid:\t1\nUid:\t%u\t%u\t%u\t%u\nGid:\t9\t9\t9\t9\n%s", us, us, us, us,
                  scene->capabilities);
    buffer_format(&theirs, "Name:\tpython3\nTgid:\t7\nPid:\t7\nPPid:\t%u\nUid:\t%u\t%u\t%u\t%u\nGid:\t9\t9\t9\t9\n%s",
                  scene->their_parent, them, them, them, them, scene->their_lines ? scene->their_lines : "");
    proc_folder_put_text(proc, "self/status", buffer_text(&ours));
    proc_folder_put_text(proc, "7/status", buffer_text(&theirs));
    proc_folder_put_text(proc, "6/status", "Name:\tsh\nPid:\t6\nPPid:\t5\n");
    proc_folder_put_text(proc, "7/stat", stat_text);
    proc_folder_put_text(proc, "7/maps", "");
    proc_folder_put_text(proc, "self/uid_map", scene->our_map ? scene->our_map : WHOLE_MAP);
    proc_folder_put_text(proc, "7/uid_map", scene->their_map ? scene->their_map : WHOLE_MAP);
    if (scene->ptrace_scope)
        proc_folder_put_text(proc, "sys/kernel/yama/ptrace_scope", scene->ptrace_scope);
    if (scene->label)
        proc_folder_put_text(proc, "self/attr/current", scene->label);
}

/* Explains a denial in a scene, and looks for the diagnosis and the remedy. */
static void check_words(const struct scene *scene, const char *diagnosis, const char *remedy)
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
    bool has_words = strstr(error->sentence, diagnosis) != NULL && strstr(error->sentence, remedy) != NULL;
    if (!has_words)
        print_error("told: %s\n", error->sentence);
    error_destroy(error);
    assert_true(has_words);
}

#define ME getuid(), getuid()

static void each_value_of_ptrace_scope_has_its_advice(void **state)
{
    (void)state;
    check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "0\n"}, "no rule of users",
                "outside of any container");
    check_words(&(struct scene){1000, 1000, NO_CAPABILITY, .ptrace_scope = "3\n"}, "(kernel.yama.ptrace_scope is 3)",
                "restart");
    if (getuid() != 0) {
        check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "1\n"}, "(kernel.yama.ptrace_scope is 1)",
                    ": use sudo");
        check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "2\n"}, "(kernel.yama.ptrace_scope is 2)",
                    ": use sudo");
        return;
    }
    check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "1\n"}, "(kernel.yama.ptrace_scope is 1)",
                "setpriv");
    check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "2\n"}, "(kernel.yama.ptrace_scope is 2)",
                "setpriv");
}

/* Whoever is ours in the end may be read with ptrace_scope 1: then it is something else. */
static void descendants_are_not_told_that_they_are_none(void **state)
{
    (void)state;
    check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "1\n", .their_parent = 5}, "no rule of users", "");
    check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "1\n", .their_parent = 6}, "no rule of users", "");
    check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "1\n", .their_parent = 1}, "ptrace_scope is 1", "");
    check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "1\n", .their_parent = 7}, "ptrace_scope is 1", "");
}

static void a_kernel_without_yama_is_not_blamed(void **state)
{
    (void)state;
    static const char *const texts[] = {NULL, "", "x", "-1\n", "11\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = texts[i]},
                    "no rule of users and capabilities forbids it", "");
}

static void another_users_process_is_told_by_both_numbers(void **state)
{
    (void)state;
    check_words(&(struct scene){1000, 1001, NO_CAPABILITY, .ptrace_scope = "1\n"},
                "belongs to user 1001 and we are user 1000", ": use sudo");
    check_words(&(struct scene){1000, 0, NO_CAPABILITY, .ptrace_scope = "0\n"}, "belongs to root and we are user 1000",
                ": use sudo");
    check_words(&(struct scene){0, 1000, DOCKER, .ptrace_scope = "0\n"}, "belongs to user 1000 and we are root", "");
}

/* Any of the three numbers makes a process somebody else's. */
static void a_process_that_changed_its_user_or_group_is_anothers(void **state)
{
    (void)state;
    struct scene scene = {ME, NO_CAPABILITY, .ptrace_scope = "0\n"};
    char lines[256];
    snprintf(lines, sizeof(lines), "%sUid:\t%u\t%u\t%u\t%u\n", "X:\t0\n", getuid(), getuid(), 4321, getuid());
    scene.their_lines = lines;
    check_words(&scene, "no rule", ""); /* the first line counts */
    struct proc_folder proc;
    proc_folder_create(&proc);
    scene.their_lines = NULL;
    put_scene(&proc, &scene);
    snprintf(lines, sizeof(lines), "Tgid:\t7\nUid:\t%u\t%u\t4321\t%u\nGid:\t9\t9\t9\t9\n", ME, getuid());
    proc_folder_put_text(&proc, "7/status", lines);
    cleanup_process struct process *process = NULL;
    assert_null(process_open(proc.path, 7, &process));
    cleanup_error struct error *error = denial_explain(error_create(ERROR_PERMISSION, "refused"), process);
    assert_non_null(strstr(error->sentence, "belongs to user 4321"));
    snprintf(lines, sizeof(lines), "Tgid:\t7\nUid:\t%u\t%u\t%u\t%u\nGid:\t9\t8\t9\t9\n", ME, ME);
    proc_folder_put_text(&proc, "7/status", lines);
    cleanup_error struct error *other = denial_explain(error_create(ERROR_PERMISSION, "refused"), process);
    assert_non_null(strstr(other->sentence, "belongs to group 8 and we are group 9"));
    proc_folder_destroy(&proc);
}

static void a_process_whose_files_belong_to_another_is_not_dumpable(void **state)
{
    (void)state;
    unsigned other = getuid() + 1;
    check_words(&(struct scene){other, other, NO_CAPABILITY, .ptrace_scope = "0\n"}, "not dumpable", ": use sudo");
    check_words(&(struct scene){other, other, NO_CAPABILITY, .ptrace_scope = "2\n"}, "not dumpable", ": use sudo");
}

static void capabilities_of_the_process_that_we_lack_are_named(void **state)
{
    (void)state;
    check_words(&(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "0\n", .their_lines = "CapPrm:\t0000000000000400\n"},
                "has capabilities that pyspyc has not (0x400)", "");
    check_words(&(struct scene){ME, DOCKER, .ptrace_scope = "0\n", .their_lines = "CapPrm:\t00000000a80425fb\n"},
                "no rule of users", "");
}

static void the_set_that_counts_is_the_effective_one(void **state)
{
    (void)state;
    check_words(&(struct scene){1000, 1001, PERMITTED_ONLY, .ptrace_scope = "0\n"},
                "permitted set, but it is the effective one", "'setcap cap_sys_ptrace+ep'");
}

static void a_container_is_told_by_the_bounding_set_and_gets_its_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {"docker run --cap-add=SYS_PTRACE", "cap_add: [SYS_PTRACE]",
                                        "securityContext: {capabilities: {add: [SYS_PTRACE]}}"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        check_words(&(struct scene){0, 1000, DOCKER, .ptrace_scope = "1\n"}, "not even root has CAP_SYS_PTRACE here",
                    lines[i]);
        check_words(&(struct scene){1000, 0, DOCKER_USER, .ptrace_scope = "1\n"}, "be root in it", lines[i]);
    }
}

static void where_sudo_has_no_effect_it_is_not_recommended(void **state)
{
    (void)state;
    check_words(&(struct scene){1000, 1001, NO_CAPABILITY "NoNewPrivs:\t1\n", .ptrace_scope = "0\n"},
                "sudo has no effect here", "from outside");
}

static void user_namespaces_are_told_apart_by_their_maps(void **state)
{
    (void)state;
    check_words(
        &(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n", .their_map = "         0 4294967295 4294967295\n"},
        "in a user namespace outside of ours", "as root");
    check_words(
        &(struct scene){ME, NO_CAPABILITY, .ptrace_scope = "0\n", .their_map = "         0       1000          1\n"},
        "is in another user namespace", "");
    check_words(
        &(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n", .their_map = "         0       1000          1\n"},
        "no rule of users", "");
    /* As unshare --map-root-user shows the namespace around it, and rootless containers with users of their own. */
    check_words(&(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n", .our_map = "         0          0          1\n"},
                "in a user namespace outside of ours", "as root");
    check_words(&(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n",
                                .our_map = "         0       1000          1\n         1     100000      65536\n",
                                .their_map = "         0          0      60000\n     60000          1       9000\n"},
                "in a user namespace outside of ours", "as root");
    check_words(&(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n",
                                .our_map = "         0       1000          1\n         1     100000      65536\n",
                                .their_map = "         0          0       1000\n"},
                "no rule of users", "");
    check_words(&(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n", .their_map = ""}, "no rule of users", "");
    check_words(&(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n", .their_map = "hello\n"}, "no rule of users", "");
}

static void the_security_module_is_named(void **state)
{
    (void)state;
    check_words(&(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n", .label = "docker-default (enforce)\n"},
                "module AppArmor forbids it to what runs as 'docker-default (enforce)'", "apparmor=unconfined");
    check_words(
        &(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n", .label = "system_u:system_r:container_t:s0:c1,c2"},
        "module SELinux forbids it to what runs as 'system_u:system_r:container_t:s0:c1,c2'", "label=disable");
    static const char *const harmless[] = {"unconfined\n", "", "snap.x (complain)\n", "a:b:unconfined_t:s0"};
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        check_words(&(struct scene){ME, CAPABILITY, .ptrace_scope = "0\n", .label = harmless[i]}, "no rule of users",
                    "");
    check_words(&(struct scene){ME, CAPABILITY, .ptrace_scope = "3\n", .label = "x (enforce)"},
                "switched off until the next boot", "");
}

static void other_errors_are_left_alone(void **state)
{
    (void)state;
    struct error *error = error_create(ERROR_TARGET_GONE, "it has ended");
    assert_ptr_equal(denial_explain(error, NULL), error);
    error_destroy(error);
}

static void who_has_ended_has_not_refused(void **state)
{
    (void)state;
    siginfo_t info;
    cleanup_process struct process *process = NULL;
    pid_t child = fork();
    while (child == 0)
        pause();
    assert_null(process_open(NULL, child, &process));
    kill(child, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    cleanup_error struct error *error = denial_explain(error_create(ERROR_PERMISSION, "refused"), process);
    assert_int_equal(error->kind, ERROR_TARGET_GONE);
    assert_non_null(strstr(error->sentence, "has ended"));
    waitpid(child, NULL, 0);
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
    char lines[6501] = "Groups:\t";
    memset(lines + 8, '1', 6000);
    snprintf(lines + 6008, sizeof(lines) - 6008, "\n%s", PERMITTED_ONLY);
    check_words(&(struct scene){1000, 1001, lines, .ptrace_scope = "1\n"}, "permitted set", "");
}

static void what_may_be_read_was_refused_something_else(void **state)
{
    (void)state;
    cleanup_process struct process *process = NULL;
    assert_null(process_open(NULL, getpid(), &process));
    struct error *error = error_create(ERROR_PERMISSION, "cannot open a file");
    assert_ptr_equal(denial_explain(error, process), error);
    assert_string_equal(error->sentence, "cannot open a file");
    error_destroy(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_of_ptrace_scope_has_its_advice),
        cmocka_unit_test(descendants_are_not_told_that_they_are_none),
        cmocka_unit_test(a_kernel_without_yama_is_not_blamed),
        cmocka_unit_test(another_users_process_is_told_by_both_numbers),
        cmocka_unit_test(a_process_that_changed_its_user_or_group_is_anothers),
        cmocka_unit_test(a_process_whose_files_belong_to_another_is_not_dumpable),
        cmocka_unit_test(capabilities_of_the_process_that_we_lack_are_named),
        cmocka_unit_test(the_set_that_counts_is_the_effective_one),
        cmocka_unit_test(a_container_is_told_by_the_bounding_set_and_gets_its_lines),
        cmocka_unit_test(where_sudo_has_no_effect_it_is_not_recommended),
        cmocka_unit_test(user_namespaces_are_told_apart_by_their_maps),
        cmocka_unit_test(the_security_module_is_named),
        cmocka_unit_test(other_errors_are_left_alone),
        cmocka_unit_test(who_has_ended_has_not_refused),
        cmocka_unit_test(a_missing_status_does_no_harm),
        cmocka_unit_test(the_capability_of_a_user_of_many_groups_is_seen),
        cmocka_unit_test(what_may_be_read_was_refused_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
