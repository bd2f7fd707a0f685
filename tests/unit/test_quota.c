/* SPDX-License-Identifier: MIT */
#include "target/quota.h"

#include "proc_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* A procfs and the groups in one folder. */
static struct proc_folder folder;

static int setup(void **state)
{
    (void)state;
    proc_folder_create(&folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proc_folder_destroy(&folder);
    return 0;
}

static void assert_quota(uint64_t quota_us, uint64_t period_us)
{
    struct quota quota;
    assert_true(quota_read(folder.path, folder.path, &quota));
    assert_int_equal(quota.quota_ns, quota_us * 1000);
    assert_int_equal(quota.period_ns, period_us * 1000);
}

static void assert_none(void)
{
    struct quota quota;
    assert_false(quota_read(folder.path, folder.path, &quota));
}

static void version_2_is_read(void **state)
{
    (void)state;
    proc_folder_put_text(&folder, "self/cgroup", "0::/a/b\n");
    assert_none();
    proc_folder_put_text(&folder, "a/b/cpu.max", "max 100000\n");
    assert_none();
    proc_folder_put_text(&folder, "a/b/cpu.max", "5000 100000\n");
    assert_quota(5000, 100000);
}

static void version_1_is_read(void **state)
{
    (void)state;
    proc_folder_put_text(&folder, "self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/a\n3:cpuset:/c\n");
    proc_folder_put_text(&folder, "cpu/c/cpu.cfs_quota_us", "1\n");
    proc_folder_put_text(&folder, "cpu/c/cpu.cfs_period_us", "1\n");
    proc_folder_put_text(&folder, "cpu/a/cpu.cfs_quota_us", "-1\n");
    proc_folder_put_text(&folder, "cpu/a/cpu.cfs_period_us", "100000\n");
    assert_none();
    proc_folder_put_text(&folder, "cpu/a/cpu.cfs_quota_us", "20000\n");
    assert_quota(20000, 100000);
}

static void the_smallest_share_of_all_groups_around_us_counts(void **state)
{
    (void)state;
    proc_folder_put_text(&folder, "self/cgroup", "0::/a/b\n");
    proc_folder_put_text(&folder, "a/b/cpu.max", "50000 100000\n");
    proc_folder_put_text(&folder, "a/cpu.max", "4000 10000\n");
    assert_quota(4000, 10000);
    proc_folder_put_text(&folder, "cpu.max", "1000 100000\n");
    assert_quota(1000, 100000);
}

/* A path that is not that of the mount: the mount itself is our group then. */
static void a_container_sees_its_own_group(void **state)
{
    (void)state;
    proc_folder_put_text(&folder, "self/cgroup", "0::/outside/of/it\n");
    proc_folder_put_text(&folder, "cpu.max", "7000 100000\n");
    assert_quota(7000, 100000);
}

static void what_is_no_quota_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"",   "5000", "0 100000", "5000 0", "-5 -7", "99999999999999999999 100000",
                                        "x y"};
    assert_none();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        proc_folder_put_text(&folder, "self/cgroup", "0::/\n");
        proc_folder_put_text(&folder, "cpu.max", texts[i]);
        assert_none();
    }
    proc_folder_put_text(&folder, "cpu.max", "5000 100000\n");
    proc_folder_put_text(&folder, "self/cgroup", "0:\n:\n\n0::relative\ncpu\n4:cpu\n");
    assert_none();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_2_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(version_1_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(the_smallest_share_of_all_groups_around_us_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_container_sees_its_own_group, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_quota_is_none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
