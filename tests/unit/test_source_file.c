/* SPDX-License-Identifier: MIT */
#include "target/source_file.h"

#include "base/buffer.h"
#include "proc_folder.h"
#include "target/process.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT = 100, SECOND_NS = 1000000000, FORKS = 40 };

/* The start time is the 22nd field. */
static const char stat_format[] =
    "%d (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 %d 1 1 1 4096 1 1 1 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0\n";

/* A /proc in which a process 7 runs, whose root is the folder "root" beside it, and who is in its "app". */
struct scene {
    struct proc_folder proc;
    struct process *process;
    int64_t now_ns;
};

static void put_process(struct scene *scene, int pid, int parent, int start_time, const char *auxv)
{
    char name[32], text[256];
    snprintf(name, sizeof(name), "%d/stat", pid);
    snprintf(text, sizeof(text), stat_format, pid, start_time);
    proc_folder_put_text(&scene->proc, name, text);
    snprintf(name, sizeof(name), "%d/status", pid);
    snprintf(text, sizeof(text), "Name:\tpython3\nTgid:\t%d\nPPid:\t%d\nUid:\t%d\t%d\t0\t0\nGid:\t%d\t%d\t0\t0\n", pid,
             parent, getuid(), getuid(), getgid(), getgid());
    proc_folder_put_text(&scene->proc, name, text);
    snprintf(name, sizeof(name), "%d/auxv", pid);
    proc_folder_put_text(&scene->proc, name, auxv);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    char root[128], folder[128];
    proc_folder_create(&scene->proc);
    put_process(scene, 7, 1, 5000, "own");
    snprintf(root, sizeof(root), "%s/root", scene->proc.path);
    snprintf(folder, sizeof(folder), "%s/root/app", scene->proc.path);
    proc_folder_make(&scene->proc, "root/app");
    proc_folder_link(&scene->proc, "7/root", root);
    proc_folder_link(&scene->proc, "7/cwd", folder);
    proc_folder_put_text(&scene->proc, "root/app/a.py", "pass\n");
    scene->now_ns = now_ns() + SECOND_NS;
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

/* What is read of a file; NULL for none. */
static void check(const struct scene *scene, const char *path, int64_t since_ns, const char *expected)
{
    struct buffer buffer = {0};
    buffer_append_text(&buffer, "before");
    assert_int_equal(source_file_read(scene->process, path, since_ns, LIMIT, &buffer), expected != NULL);
    if (expected)
        assert_string_equal(buffer_text(&buffer), expected);
    buffer_deinit(&buffer);
}

static void one_of_our_own_is_read_for_whom_it_is_readable(void **state)
{
    const struct scene *scene = *state;
    char path[PATH_MAX];
    struct buffer buffer = {0};
    struct source_reader reader = {.since_ns = scene->now_ns, .user = 0, .group = 0};
    snprintf(path, sizeof(path), "%s/root/app/a.py", scene->proc.path);
    assert_true(source_file_read_own(&reader, path, LIMIT, &buffer));
    assert_string_equal(buffer_text(&buffer), "pass\n");
    assert_int_equal(chmod(path, 0600), 0);
    reader.user = reader.group = 12345;
    assert_false(source_file_read_own(&reader, path, LIMIT, &buffer));
    assert_int_equal(chmod(path, 0604), 0);
    reader.since_ns = scene->now_ns + SECOND_NS;
    assert_true(source_file_read_own(&reader, path, LIMIT, &buffer));
    reader.since_ns = 0;
    assert_false(source_file_read_own(&reader, path, LIMIT, &buffer));
    assert_false(source_file_read_own(&reader, "a.py", LIMIT, &buffer));
    buffer_deinit(&buffer);
}

static void a_file_is_found_from_the_root_and_from_the_working_folder(void **state)
{
    const struct scene *scene = *state;
    check(scene, "/app/a.py", scene->now_ns, "pass\n");
    check(scene, "a.py", scene->now_ns, "pass\n");
    check(scene, "../app/a.py", scene->now_ns, "pass\n");
    check(scene, "../../../../app/a.py", scene->now_ns, "pass\n");
    check(scene, "b.py", scene->now_ns, NULL);
    check(scene, "", scene->now_ns, NULL);
    check(scene, "/app", scene->now_ns, NULL);
    check(scene, "/app/a.py/b.py", scene->now_ns, NULL);
}

static void a_working_folder_outside_of_the_root_leads_nowhere(void **state)
{
    struct scene *scene = *state;
    proc_folder_remove(&scene->proc, "7/cwd");
    check(scene, "a.py", scene->now_ns, NULL);
    proc_folder_link(&scene->proc, "7/cwd", "/");
    check(scene, "a.py", scene->now_ns, NULL);
    proc_folder_remove(&scene->proc, "7/cwd");
    proc_folder_link(&scene->proc, "7/cwd", "relative");
    check(scene, "a.py", scene->now_ns, NULL);
}

static void links_do_not_lead_out_of_the_root(void **state)
{
    struct scene *scene = *state;
    proc_folder_put_text(&scene->proc, "outside.py", "secret\n");
    proc_folder_link(&scene->proc, "root/app/link.py", "../../outside.py");
    proc_folder_link(&scene->proc, "root/app/inner.py", "/app/a.py");
    check(scene, "link.py", now_ns() + SECOND_NS, NULL);
    check(scene, "inner.py", now_ns() + SECOND_NS, "pass\n");
}

static void a_file_that_changed_since_is_not_read(void **state)
{
    struct scene *scene = *state;
    char path[160];
    struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    snprintf(path, sizeof(path), "%s/root/app/a.py", scene->proc.path);
    check(scene, "a.py", 0, NULL);
    /* The time of the content can be set by anybody; that of the inode cannot. */
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    check(scene, "a.py", 2 * (int64_t)SECOND_NS, NULL);
    check(scene, "a.py", now_ns() + SECOND_NS, "pass\n");
    old[1].tv_sec = time(NULL) + 1000;
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    check(scene, "a.py", now_ns() + SECOND_NS, NULL);
}

static void only_regular_files_of_a_bounded_length_are_read(void **state)
{
    struct scene *scene = *state;
    char path[160], text[LIMIT + 2];
    snprintf(path, sizeof(path), "%s/root/app/fifo.py", scene->proc.path);
    assert_int_equal(mkfifo(path, 0644), 0);
    check(scene, "fifo.py", now_ns() + SECOND_NS, NULL);
    memset(text, '#', sizeof(text));
    text[LIMIT + 1] = '\0';
    proc_folder_put_text(&scene->proc, "root/app/long.py", text);
    check(scene, "long.py", now_ns() + SECOND_NS, NULL);
    text[LIMIT] = '\0';
    proc_folder_put_text(&scene->proc, "root/app/long.py", text);
    check(scene, "long.py", now_ns() + SECOND_NS, text);
}

static void a_file_that_is_not_the_processes_to_read_is_not_read(void **state)
{
    struct scene *scene = *state;
    char path[160];
    snprintf(path, sizeof(path), "%s/root/app/a.py", scene->proc.path);
    proc_folder_put_text(&scene->proc, "7/status", "Tgid:\t7\nPPid:\t1\nUid:\t4242\t4242\nGid:\t4243\t4243\n");
    assert_int_equal(chmod(path, 0640), 0);
    check(scene, "a.py", now_ns() + SECOND_NS, NULL);
    assert_int_equal(chmod(path, 0604), 0);
    check(scene, "a.py", now_ns() + SECOND_NS, "pass\n");
    proc_folder_put_text(&scene->proc, "7/status", "Tgid:\t7\n");
    check(scene, "a.py", now_ns() + SECOND_NS, NULL);
}

static int64_t started_ns(const struct scene *scene)
{
    int64_t start_ns = 0;
    assert_true(program_start_time(scene->process, &start_ns));
    return start_ns;
}

static void a_forked_process_runs_the_program_of_the_one_that_was_begun(void **state)
{
    struct scene *scene = *state;
    int64_t tick_ns = SECOND_NS / sysconf(_SC_CLK_TCK), own_ns = started_ns(scene);
    /* A parent that runs another program, then one that forked, and whose own parent forked too. */
    put_process(scene, 1, 0, 1, "another");
    assert_in_range(started_ns(scene) - own_ns + tick_ns, 0, 2 * tick_ns);
    put_process(scene, 7, 6, 5000, "own");
    put_process(scene, 6, 5, 3000, "own");
    put_process(scene, 5, 1, 1000, "own");
    assert_in_range(own_ns - started_ns(scene), 3999 * tick_ns, 4001 * tick_ns);
    put_process(scene, 6, 5, 3000, "ow");
    assert_in_range(started_ns(scene) - own_ns + tick_ns, 0, 2 * tick_ns);
}

static void forks_without_end_tell_no_time(void **state)
{
    struct scene *scene = *state;
    int64_t start_ns = 77;
    for (int i = 0; i < FORKS; i++)
        put_process(scene, 7 + i, 8 + i, 5000, "own");
    assert_false(program_start_time(scene->process, &start_ns));
    put_process(scene, 8, 7, 5000, "own");
    assert_false(program_start_time(scene->process, &start_ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_found_from_the_root_and_from_the_working_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_of_our_own_is_read_for_whom_it_is_readable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_working_folder_outside_of_the_root_leads_nowhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_do_not_lead_out_of_the_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_changed_since_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_regular_files_of_a_bounded_length_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_the_processes_to_read_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_forked_process_runs_the_program_of_the_one_that_was_begun, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forks_without_end_tell_no_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
