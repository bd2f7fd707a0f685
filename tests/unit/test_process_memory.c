/* SPDX-License-Identifier: MIT */
#include "target/process_memory.h"

#include "base/cleanup.h"
#include "proc_folder.h"
#include "target/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char stat_text[] = "7 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 0 0 "
                                "0 0 0 0 0 0 17 3 0 0 0 0 0\n";
static const char content[] = "0123456789";

static int set_up(void **state)
{
    struct proc_folder *proc = calloc(1, sizeof(*proc));
    proc_folder_create(proc);
    proc_folder_put_text(proc, "7/stat", stat_text);
    proc_folder_put_text(proc, "7/status", "Tgid:\t7\n");
    *state = proc;
    return 0;
}

static int tear_down(void **state)
{
    proc_folder_destroy(*state);
    free(*state);
    return 0;
}

static void our_own_memory_is_read_by_a_system_call(void **state)
{
    (void)state;
    cleanup_process struct process *process = NULL;
    cleanup_process_memory struct memory *memory = NULL;
    char copy[sizeof(content)] = "";
    assert_null(process_open(NULL, getpid(), &process));
    assert_true(process->own_place > 0);
    assert_null(process_memory_create(process, &memory));
    assert_int_equal(memory->remote_reads, 0);
    assert_int_equal(memory_read(memory, (uintptr_t)content, copy, sizeof(copy)), MEMORY_OK);
    assert_int_equal(memory->remote_reads, 1);
    assert_string_equal(copy, content);
    assert_int_equal(memory_read(memory, 8, copy, 1), MEMORY_FAULT);
}

static void what_no_system_call_can_name_is_read_as_a_file(void **state)
{
    cleanup_process struct process *process = NULL;
    cleanup_process_memory struct memory *memory = NULL;
    char copy[4] = "";
    struct proc_folder *proc = *state;
    proc_folder_put_text(proc, "7/mem", content);
    assert_null(process_open(proc->path, 7, &process));
    assert_int_equal(process->own_place, 0);
    assert_null(process_memory_create(process, &memory));
    assert_int_equal(memory_read(memory, 3, copy, 3), MEMORY_OK);
    assert_string_equal(copy, "345");
    assert_int_equal(memory_read(memory, 8, copy, 3), MEMORY_FAULT);
    assert_int_equal(memory_read(memory, 10, copy, 3), MEMORY_GONE); /* as of a process that has ended */
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
    cleanup_process struct process *process = NULL;
    struct memory *memory = NULL;
    struct proc_folder *proc = *state;
    assert_null(process_open(proc->path, 7, &process));
    cleanup_error struct error *error = process_memory_create(process, &memory);
    assert_non_null(error);
    assert_null(memory);
    process_memory_destroy(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(our_own_memory_is_read_by_a_system_call),
        TEST(what_no_system_call_can_name_is_read_as_a_file),
        TEST(a_file_that_cannot_be_opened_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
