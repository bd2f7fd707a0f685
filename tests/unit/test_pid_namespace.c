/* SPDX-License-Identifier: MIT */
#include "target/pid_namespace.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "proc_folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct proc_folder *proc = calloc(1, sizeof(*proc));
    proc_folder_create(proc);
    *state = proc;
    return 0;
}

static int tear_down(void **state)
{
    proc_folder_destroy(*state);
    free(*state);
    return 0;
}

/* Reads the numbers from a status file of this text. */
static struct pid_numbers numbers_of(struct proc_folder *proc, const char *text)
{
    struct pid_numbers numbers = {.count = 99};
    proc_folder_put_text(proc, "status", text);
    cleanup_fd int folder = open(proc->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(pid_numbers_read(folder, "status", 42, &numbers));
    return numbers;
}

static void the_numbers_stand_from_outside_inwards(void **state)
{
    struct pid_numbers numbers = numbers_of(*state, "Name:\tx\nNStgid:\t1\nNSpid:\t300\t20\t1\nNSpgid:\t5\n");
    assert_int_equal(numbers.count, 3);
    assert_int_equal(numbers.numbers[0], 300);
    assert_int_equal(numbers.numbers[2], 1);
}

static void without_pid_namespaces_there_is_one_number(void **state)
{
    struct pid_numbers numbers = numbers_of(*state, "Name:\tx\nPid:\t42\n");
    assert_int_equal(numbers.count, 1);
    assert_int_equal(numbers.numbers[0], 42);
}

static void impossible_numbers_are_none(void **state)
{
    static const char *const texts[] = {"NSpid:\t7\t0\n", "NSpid:\t0\n", "NSpid:\t7\t2147483648\n",
                                        "NSpid:\t18446744073709551615\n", "NSpid:\t7 x\n"};
    for (size_t i = 0; i < array_size(texts); i++)
        assert_int_equal(numbers_of(*state, texts[i]).count, 0);
}

static void there_are_no_more_namespaces_than_the_kernel_has(void **state)
{
    cleanup_buffer struct buffer text = {0};
    buffer_append_text(&text, "NSpid:");
    for (int i = 1; i <= PID_NAMESPACE_LIMIT; i++)
        buffer_format(&text, "\t%d", i);
    struct pid_numbers numbers = numbers_of(*state, buffer_text(&text));
    assert_int_equal(numbers.count, PID_NAMESPACE_LIMIT);
    assert_int_equal(numbers.numbers[PID_NAMESPACE_LIMIT - 1], PID_NAMESPACE_LIMIT);
    buffer_append_text(&text, "\t99");
    assert_int_equal(numbers_of(*state, buffer_text(&text)).count, 0);
}

static void a_file_that_is_missing_is_told(void **state)
{
    (void)state;
    struct pid_numbers numbers = {.count = 99};
    assert_false(pid_numbers_read(AT_FDCWD, "/nowhere/status", 42, &numbers));
    assert_int_equal(numbers.count, 0);
}

static void our_own_place_is_how_deep_we_are_in_procfs(void **state)
{
    struct proc_folder *proc = *state;
    assert_int_equal(pid_namespace_own_place(proc->path), 0);
    proc_folder_put_text(proc, "self/status", "NSpid:\t70\n");
    assert_int_equal(pid_namespace_own_place(proc->path), 1);
    proc_folder_put_text(proc, "self/status", "NSpid:\t70\t7\n");
    assert_int_equal(pid_namespace_own_place(proc->path), 2);
    proc_folder_put_text(proc, "self/status", "NSpid:\trubbish\n");
    assert_int_equal(pid_namespace_own_place(proc->path), 1); /* no number at all: as without such namespaces */
    proc_folder_put_text(proc, "self/status", "NSpid:\t70\trubbish\n");
    assert_int_equal(pid_namespace_own_place(proc->path), 0);
}

static void a_pidfd_tells_its_number_in_procfs(void **state)
{
    struct proc_folder *proc = *state;
    static const struct {
        const char *text;
        pid_t expected;
    } rows[] = {{"pos:\t0\nPid:\t300\nNSpid:\t300\t1\n", 300},
                {"Pid:\t0\n", 0},
                {"Pid:\t-1\n", 0},
                {"pos:\t0\n", 0},
                {"Pid:\t2147483648\n", 0},
                {"", 0}};
    assert_int_equal(pid_namespace_shown_number(proc->path, 5), 0);
    for (size_t i = 0; i < array_size(rows); i++) {
        proc_folder_put_text(proc, "self/fdinfo/5", rows[i].text);
        assert_int_equal(pid_namespace_shown_number(proc->path, 5), rows[i].expected);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_numbers_stand_from_outside_inwards),
        TEST(without_pid_namespaces_there_is_one_number),
        TEST(impossible_numbers_are_none),
        TEST(there_are_no_more_namespaces_than_the_kernel_has),
        TEST(a_file_that_is_missing_is_told),
        TEST(our_own_place_is_how_deep_we_are_in_procfs),
        TEST(a_pidfd_tells_its_number_in_procfs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
