/* SPDX-License-Identifier: MIT */
#include "target/standing.h"

#include "proc_folder.h"
#include "target/denial.h"
#include "target/privileges.h"
#include "target/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char our_status[] = "Name:\tpyspyc\nPid:\t5\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\n"
                                 "CapPrm:\t0000000000080000\nCapEff:\t0000000000080000\nCapBnd:\t00000000a80425fb\n"
                                 "NoNewPrivs:\t1\nSeccomp:\t2\n";

static void our_own_facts_are_those_of_our_files(void **state)
{
    (void)state;
    struct proc_folder proc;
    struct own_standing own;
    proc_folder_create(&proc);
    proc_folder_put_text(&proc, "self/status", our_status);
    proc_folder_put_text(&proc, "sys/kernel/yama/ptrace_scope", "2\n");
    proc_folder_put_text(&proc, "self/attr/apparmor/current", "snap.pyspyc (enforce)\n");
    proc_folder_put_text(&proc, "self/attr/current", "other");
    proc_folder_put_text(&proc, "kernel/security/lsm", "capability,yama,apparmor");
    own_standing_read(proc.path, proc.path, &own);
    proc_folder_destroy(&proc);
    assert_int_equal(own.user, 1000);
    assert_int_equal(own.group, 100);
    assert_int_equal(own.bounding, 0xa80425fb);
    assert_true(own_standing_has_ptrace(&own));
    assert_true(own.has_no_new_privileges);
    assert_true(own.is_filtered);
    assert_false(own.is_lent);
    assert_int_equal(own.ptrace_scope, SCOPE_ADMIN_ONLY);
    assert_string_equal(own.module, "AppArmor");
    assert_string_equal(own.label, "snap.pyspyc (enforce)");
    assert_string_equal(own.active_modules, "capability,yama,apparmor");
}

/* What is not known forbids nothing. */
static void facts_that_cannot_be_read_are_harmless(void **state)
{
    (void)state;
    struct proc_folder proc;
    struct own_standing own;
    proc_folder_create(&proc);
    own_standing_read(proc.path, proc.path, &own);
    proc_folder_destroy(&proc);
    assert_int_equal(own.user, getuid());
    assert_int_equal(own.group, getgid());
    assert_int_equal(own.bounding, UINT64_MAX);
    assert_false(own_standing_has_ptrace(&own));
    assert_false(own.has_no_new_privileges || own.is_filtered);
    assert_int_equal(own.ptrace_scope, SCOPE_UNKNOWN);
    assert_string_equal(own.module, "");
    assert_string_equal(own.active_modules, "");
}

static void labels_of_any_length_are_cut(void **state)
{
    (void)state;
    struct proc_folder proc;
    struct own_standing own;
    char label[4096];
    memset(label, 'x', sizeof(label) - 1);
    label[sizeof(label) - 1] = '\0';
    proc_folder_create(&proc);
    proc_folder_put_text(&proc, "self/attr/current", label);
    proc_folder_put_text(&proc, "kernel/security/lsm", label);
    own_standing_read(proc.path, proc.path, &own);
    proc_folder_destroy(&proc);
    assert_int_equal(strlen(own.label), STANDING_LABEL_LEN - 1);
    assert_string_equal(own.module, "Smack");
    assert_int_equal(strlen(own.active_modules), STANDING_LABEL_LEN - 1);
}

/* Who refuses is then only known to be one of these. */
static void active_modules_are_named_when_nothing_else_is_known(void **state)
{
    (void)state;
    struct standing standing = {.own = {.ptrace_scope = SCOPE_UNKNOWN, .effective = UINT64_MAX}};
    snprintf(standing.own.active_modules, sizeof(standing.own.active_modules), "%s", "capability,landlock,bpf");
    cleanup_error struct error *error = denial_describe(&standing, 7);
    assert_int_equal(error->kind, ERROR_PERMISSION);
    assert_non_null(strstr(error->sentence, "(capability,landlock,bpf)"));
}

static void a_circle_of_parents_ends(void **state)
{
    (void)state;
    struct proc_folder proc;
    struct standing standing;
    cleanup_process struct process *process = NULL;
    proc_folder_create(&proc);
    proc_folder_put_text(&proc, "self/status", our_status);
    proc_folder_put_text(&proc, "7/stat",
                         "7 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 1 1 1 "
                         "1 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0\n");
    proc_folder_put_text(&proc, "7/status", "Tgid:\t7\nPPid:\t8\n");
    proc_folder_put_text(&proc, "8/status", "Tgid:\t8\nPPid:\t7\n");
    assert_null(process_open(proc.path, 7, &process));
    standing_read(process, proc.path, &standing);
    assert_false(standing.is_child);
    /* Its ids are not known: they are not blamed. */
    assert_int_equal(standing.their_user, 1000);
    assert_int_equal(standing.their_group, 100);
    proc_folder_destroy(&proc);
}

static void who_lends_nothing_has_nothing_to_settle(void **state)
{
    (void)state;
    assert_false(privileges_are_lent());
    assert_null(privileges_settle());
    assert_null(privileges_check(-1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_facts_are_those_of_our_files),
        cmocka_unit_test(facts_that_cannot_be_read_are_harmless),
        cmocka_unit_test(labels_of_any_length_are_cut),
        cmocka_unit_test(active_modules_are_named_when_nothing_else_is_known),
        cmocka_unit_test(a_circle_of_parents_ends),
        cmocka_unit_test(who_lends_nothing_has_nothing_to_settle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
