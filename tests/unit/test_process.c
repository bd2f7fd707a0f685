/* SPDX-License-Identifier: MIT */
#include "target/process.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "proc_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

enum { PID = 7 };

static const char stat_text[] =
    "7 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 0 0 0 0 0 "
    "0 0 0 17 3 0 0 0 0 0\n";

static int set_up(void **state)
{
    struct proc_folder *proc = calloc(1, sizeof(*proc));
    proc_folder_create(proc);
    proc_folder_put_text(proc, "7/stat", stat_text);
    proc_folder_put_text(proc, "7/status", "Name:\tpython3\nTgid:\t7\n");
    *state = proc;
    return 0;
}

static int tear_down(void **state)
{
    proc_folder_destroy(*state);
    free(*state);
    return 0;
}

static struct process *open_process(const struct proc_folder *proc, pid_t pid)
{
    struct process *process = NULL;
    assert_null(process_open(proc->path, pid, &process));
    return process;
}

static void check_open_fails(const struct proc_folder *proc, pid_t pid, enum error_kind kind)
{
    struct process *process = NULL;
    cleanup_error struct error *error = process_open(proc->path, pid, &process);
    assert_non_null(error);
    assert_int_equal(error->kind, kind);
    assert_null(process);
}

static void check_kind(struct error *error, enum error_kind kind)
{
    assert_non_null(error);
    assert_int_equal(error->kind, kind);
    error_destroy(error);
}

static void a_process_has_its_number_and_start_time(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    assert_int_equal(process->pid, PID);
    assert_int_equal(process->start_time, 5000);
    assert_int_equal(process->root, -1);
    assert_true(process_is_running(process));
}

static void a_process_that_does_not_exist_is_gone(void **state)
{
    check_open_fails(*state, 8, ERROR_TARGET_GONE);
    check_open_fails(*state, 0, ERROR_TARGET_GONE);
    check_open_fails(*state, -7, ERROR_TARGET_GONE);
    check_open_fails(*state, INT32_MAX, ERROR_TARGET_GONE);
    process_destroy(NULL);
}

static void a_process_without_stat_is_gone(void **state)
{
    proc_folder_remove(*state, "7/stat");
    check_open_fails(*state, PID, ERROR_TARGET_GONE);
}

static void a_stat_of_garbage_is_bad_data(void **state)
{
    static const char *const texts[] = {"", "\n", "7 (python3", "7 (python3) S 1 2 3", "\xff\xfe\xfd) R"};
    for (size_t i = 0; i < array_size(texts); i++) {
        proc_folder_put_text(*state, "7/stat", texts[i]);
        check_open_fails(*state, PID, ERROR_BAD_DATA);
    }
}

static void a_threads_number_is_taken_as_its_processs(void **state)
{
    proc_folder_put_text(*state, "9/status", "Name:\tworker\nTgid:\t7\nPid:\t9\n");
    cleanup_process struct process *process = open_process(*state, 9);
    assert_int_equal(process->pid, PID);
}

static void without_a_status_the_number_itself_is_taken(void **state)
{
    proc_folder_remove(*state, "7/status");
    cleanup_process struct process *process = open_process(*state, PID);
    assert_int_equal(process->pid, PID);
}

static void a_zombie_does_not_run(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    static const struct {
        char state;
        bool is_running;
    } rows[] = {{'R', true}, {'S', true}, {'D', true}, {'T', true}, {'t', true}, {'Z', false}, {'X', false}};
    for (size_t i = 0; i < array_size(rows); i++) {
        char text[sizeof(stat_text)];
        memcpy(text, stat_text, sizeof(text));
        text[strlen("7 (python3) ")] = rows[i].state;
        proc_folder_put_text(*state, "7/stat", text);
        assert_int_equal(process_is_running(process), rows[i].is_running);
    }
    proc_folder_remove(*state, "7/stat");
    assert_false(process_is_running(process));
}

static void a_file_that_is_missing_means_that_the_process_ended(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    cleanup_buffer struct buffer buffer = {0};
    struct maps maps;
    struct process_program program;
    char *path = NULL;
    pid_t *ids = NULL;
    uint32_t count;
    check_kind(process_read_file(process, "maps", &buffer), ERROR_TARGET_GONE);
    check_kind(process_read_maps(process, &maps), ERROR_TARGET_GONE);
    check_kind(process_read_program(process, &program), ERROR_NOT_PYTHON); /* as a thread of the kernel */
    check_kind(process_executable_path(process, &path), ERROR_TARGET_GONE);
    check_kind(process_command_line(process, &buffer), ERROR_TARGET_GONE);
    check_kind(process_thread_ids(process, &ids, &count), ERROR_TARGET_GONE);
    assert_null(path);
    assert_null(ids);
}

static void a_file_replaces_what_the_buffer_held(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    cleanup_buffer struct buffer buffer = {0};
    static char large[100000];
    memset(large, 'x', sizeof(large));
    proc_folder_put(*state, "7/large", large, sizeof(large));
    proc_folder_put_text(*state, "7/task/7/comm", "python3\n");
    assert_null(process_read_file(process, "large", &buffer));
    assert_int_equal(buffer.len, sizeof(large));
    assert_memory_equal(buffer.data, large, sizeof(large));
    assert_null(process_read_file(process, "task/7/comm", &buffer));
    assert_string_equal(buffer_text(&buffer), "python3\n");
    assert_int_equal(buffer.len, 8);
}

static void the_command_line_has_blanks_between_its_words(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *expected;
    } rows[] = {
        {"python3\0a b.py\0-x\0", 18, "python3 a b.py -x"},
        {"python3\0\0end\0", 13, "python3  end"},
        {"no end", 6, "no end"},
        {"title   \0\0\0", 11, "title   "},
        {"\0\0\0", 3, ""},
        {"", 0, ""},
        {"a\n\x1b\0", 4, "a\n\x1b"},
    };
    cleanup_process struct process *process = open_process(*state, PID);
    cleanup_buffer struct buffer buffer = {0};
    for (size_t i = 0; i < array_size(rows); i++) {
        proc_folder_put(*state, "7/cmdline", rows[i].bytes, rows[i].len);
        assert_null(process_command_line(process, &buffer));
        assert_string_equal(buffer_text(&buffer), rows[i].expected);
        assert_int_equal(buffer.len, strlen(rows[i].expected));
    }
}

static void maps_are_parsed(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    proc_folder_put_text(*state, "7/maps", "1000-2000 r-xp 0 0:0 7 /usr/bin/python3\nrubbish\n");
    cleanup_maps struct maps maps;
    assert_null(process_read_maps(process, &maps));
    assert_int_equal(maps.count, 1);
}

static void thread_ids_are_the_numbers_of_the_task_folder(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    proc_folder_make(*state, "7/task/7");
    proc_folder_make(*state, "7/task/90");
    proc_folder_make(*state, "7/task/rubbish");
    proc_folder_make(*state, "7/task/-3");
    cleanup_free pid_t *ids = NULL;
    uint32_t count = 0;
    assert_null(process_thread_ids(process, &ids, &count));
    assert_int_equal(count, 2);
    assert_int_equal(ids[0] + ids[1], 97);
}

static void the_executables_path_loses_the_kernels_mark(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    proc_folder_link(*state, "7/exe", "/usr/bin/python3.11 (deleted)");
    char *path = NULL;
    assert_null(process_executable_path(process, &path));
    assert_string_equal(path, "/usr/bin/python3.11");
    free(path);
    proc_folder_remove(*state, "7/exe");
    proc_folder_link(*state, "7/exe", "/opt/a b");
    assert_null(process_executable_path(process, &path));
    assert_string_equal(path, "/opt/a b");
    free(path);
}

static void another_executable_or_place_is_another_program(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    struct process_program first, second;
    proc_folder_put_text(*state, "one", "1");
    proc_folder_put_text(*state, "two", "2");
    proc_folder_link(*state, "7/exe", "../one");
    assert_null(process_read_program(process, &first));
    assert_int_equal(first.code_start, 4096);
    assert_null(process_read_program(process, &second));
    assert_true(process_program_equals(&first, &second));
    proc_folder_remove(*state, "7/exe");
    proc_folder_link(*state, "7/exe", "../two");
    assert_null(process_read_program(process, &second));
    assert_false(process_program_equals(&first, &second));
}

static void files_are_looked_for_inside_of_the_targets_root(void **state)
{
    proc_folder_put_text(*state, "root-of-7/lib/a.so", "library");
    proc_folder_link(*state, "7/root", "../root-of-7");
    cleanup_process struct process *process = open_process(*state, PID);
    assert_true(process_has_file(process, "/lib/a.so"));
    assert_false(process_has_file(process, "/lib/b.so"));
    cleanup_fd int fd = -1;
    const struct mapping mapping = {.start = 0x1000, .end = 0x2000, .inode = 1, .path = "/lib/a.so"};
    assert_null(process_open_mapping(process, &mapping, &fd));
    char text[8] = "";
    assert_int_equal(read(fd, text, 7), 7);
    assert_string_equal(text, "library");
}

static void no_path_leads_out_of_the_targets_root(void **state)
{
    proc_folder_make(*state, "root-of-7/lib");
    proc_folder_link(*state, "root-of-7/lib/up", "../../../7/stat");
    proc_folder_link(*state, "root-of-7/lib/absolute", "/dev/null");
    proc_folder_link(*state, "7/root", "../root-of-7");
    cleanup_process struct process *process = open_process(*state, PID);
    assert_true(process_has_file(process, "/../lib"));
    assert_false(process_has_file(process, "/../7/stat"));
    assert_false(process_has_file(process, "/lib/up"));
    assert_false(process_has_file(process, "/lib/absolute"));
}

static void a_mapping_that_is_no_regular_file_or_deleted_is_told(void **state)
{
    proc_folder_make(*state, "root-of-7/dev");
    proc_folder_link(*state, "7/root", "../root-of-7");
    cleanup_process struct process *process = open_process(*state, PID);
    int fd = -1;
    struct mapping mapping = {.start = 0x1000, .end = 0x2000, .inode = 1, .path = "/dev"};
    check_kind(process_open_mapping(process, &mapping, &fd), ERROR_BAD_DATA);
    mapping.path = "/nowhere";
    check_kind(process_open_mapping(process, &mapping, &fd), ERROR_NOT_FOUND);
    mapping.is_deleted = true;
    check_kind(process_open_mapping(process, &mapping, &fd), ERROR_NOT_FOUND);
    proc_folder_put_text(*state, "7/map_files/1000-2000", "deleted, and still there");
    assert_null(process_open_mapping(process, &mapping, &fd));
    close(fd);
}

static void without_a_root_no_file_is_seen(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    int fd = -1;
    const struct mapping mapping = {.start = 0x1000, .end = 0x2000, .inode = 1, .path = "/lib/a.so"};
    assert_false(process_has_file(process, "/"));
    check_kind(process_open_mapping(process, &mapping, &fd), ERROR_PERMISSION);
    assert_int_equal(fd, -1);
}

/* Lets the main thread end: as a zombie it shows nothing of what it shared. */
static void end_main_thread(struct proc_folder *proc)
{
    char text[sizeof(stat_text)];
    memcpy(text, stat_text, sizeof(text));
    text[strlen("7 (python3) ")] = 'Z';
    proc_folder_put_text(proc, "7/stat", text);
    proc_folder_put_text(proc, "7/task/7/stat", text);
    proc_folder_put_text(proc, "7/maps", "");
}

/* Puts a thread that lives, and the folder in which procfs shows it. */
static void put_thread(struct proc_folder *proc, const char *tid, const char *status)
{
    char name[64];
    snprintf(name, sizeof(name), "7/task/%s/stat", tid);
    proc_folder_put_text(proc, name, stat_text);
    snprintf(name, sizeof(name), "%s/stat", tid);
    proc_folder_put_text(proc, name, stat_text);
    snprintf(name, sizeof(name), "%s/status", tid);
    proc_folder_put_text(proc, name, status);
    snprintf(name, sizeof(name), "%s/maps", tid);
    proc_folder_put_text(proc, name, "1000-2000 r-xp 0 0:0 7 /usr/bin/python3\n");
    snprintf(name, sizeof(name), "%s/exe", tid);
    proc_folder_link(proc, name, "../7/status");
    snprintf(name, sizeof(name), "%s/root", tid);
    proc_folder_link(proc, name, "../root-of-7");
}

static void when_the_main_thread_has_ended_another_shows_what_they_share(void **state)
{
    proc_folder_put_text(*state, "root-of-7/lib/a.so", "library");
    put_thread(*state, "8", "Name:\tworker\nTgid:\t7\n");
    end_main_thread(*state);
    cleanup_process struct process *process = open_process(*state, PID);
    cleanup_maps struct maps maps = {0};
    struct process_program program;
    assert_int_equal(process->pid, PID);
    assert_true(process_is_running(process));
    assert_true(process_has_file(process, "/lib/a.so"));
    assert_null(process_read_maps(process, &maps));
    assert_int_equal(maps.count, 1);
    assert_null(process_read_program(process, &program));
    assert_int_equal(program.code_start, 4096);
}

static void a_thread_of_another_process_shows_nothing_of_ours(void **state)
{
    proc_folder_make(*state, "root-of-7");
    put_thread(*state, "8", "Name:\tworker\nTgid:\t6\n");
    end_main_thread(*state);
    cleanup_process struct process *process = open_process(*state, PID);
    cleanup_maps struct maps maps = {0};
    check_kind(process_read_maps(process, &maps), ERROR_TARGET_GONE);
}

static void when_all_threads_have_ended_the_process_has(void **state)
{
    char text[sizeof(stat_text)];
    end_main_thread(*state);
    cleanup_process struct process *process = open_process(*state, PID);
    struct process_program program;
    assert_false(process_is_running(process));
    memcpy(text, stat_text, sizeof(text));
    text[strlen("7 (python3) ")] = 'X';
    proc_folder_put_text(*state, "7/task/8/stat", text);
    proc_folder_put_text(*state, "7/task/9/stat", "rubbish");
    assert_false(process_is_running(process));
    check_kind(process_read_program(process, &program), ERROR_TARGET_GONE);
}

static void system_calls_know_a_process_only_by_a_number_of_our_namespace(void **state)
{
    static const struct {
        const char *ours, *theirs;
        uint32_t own_place;
        bool has_inner_ids;
    } rows[] = {
        {NULL, "NSpid:\t7\n", 0, false}, /* procfs is not ours */
        {"NSpid:\t9\n", "Name:\tx\n", 1, false},
        {"NSpid:\t9\n", "NSpid:\t7\n", 1, false},
        {"NSpid:\t9\n", "NSpid:\t7\t1\n", 1, true},
        {"NSpid:\t9\t3\n", "NSpid:\t7\n", 0, false},   /* it is outside of ours */
        {"NSpid:\t9\t3\n", "NSpid:\t7\t3\n", 0, true}, /* no pidfd says that it is in ours */
        {"NSpid:\t9\n", "NSpid:\trubbish 7\n", 1, false},
        {"NSpid:\t9\n", "NSpid:\t7 rubbish\n", 0, false},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        if (rows[i].ours)
            proc_folder_put_text(*state, "self/status", rows[i].ours);
        proc_folder_put_text(*state, "7/status", rows[i].theirs);
        cleanup_process struct process *process = open_process(*state, PID);
        assert_int_equal(process->own_place, rows[i].own_place);
        assert_int_equal(process->has_inner_ids, rows[i].has_inner_ids);
        if (rows[i].own_place == 0)
            assert_int_equal(process->pidfd, -1);
    }
}

static void a_process_that_procfs_does_not_show_is_said_to_be_hidden(void **state)
{
    /* We exist, and are not in this folder; without a procfs of our namespace that would mean nothing. */
    check_open_fails(*state, getpid(), ERROR_TARGET_GONE);
    proc_folder_put_text(*state, "self/status", "NSpid:\t9\t3\n");
    check_open_fails(*state, getpid(), ERROR_TARGET_GONE);
    proc_folder_put_text(*state, "self/status", "NSpid:\t9\n");
    check_open_fails(*state, getpid(), ERROR_PERMISSION);
    char name[64];
    snprintf(name, sizeof(name), "%d", getpid());
    proc_folder_make(*state, name);
    check_open_fails(*state, getpid(), ERROR_PERMISSION);
}

static void a_child_keeps_its_number_where_procfs_is_ours(void **state)
{
    struct proc_folder *proc = *state;
    assert_int_equal(process_number_of_child(NULL, getpid()), getpid());
    assert_int_equal(process_number_of_child(proc->path, 4711), 4711); /* nobody knows better */
    proc_folder_put_text(proc, "self/status", "NSpid:\t9\n");
    assert_int_equal(process_number_of_child(proc->path, 4711), 4711);
}

static void the_executable_is_opened_without_its_path(void **state)
{
    cleanup_process struct process *process = open_process(*state, PID);
    char target[128], text[8] = "";
    const struct proc_folder *proc = *state;
    snprintf(target, sizeof(target), "%s/python", proc->path);
    proc_folder_put_text(*state, "python", "program");
    proc_folder_link(*state, "7/exe", target);
    const struct mapping mapping = {.start = 0x1000, .end = 0x2000, .inode = 1, .is_deleted = true, .path = target};
    cleanup_fd int fd = -1;
    assert_null(process_open_mapping(process, &mapping, &fd));
    assert_int_equal(read(fd, text, 7), 7);
    assert_string_equal(text, "program");
}

static void a_path_as_we_see_it_has_to_lead_to_the_same_file(void **state)
{
    proc_folder_make(*state, "root-of-7");
    proc_folder_link(*state, "7/root", "../root-of-7");
    proc_folder_put_text(*state, "root-of-7/a.so", "library");
    cleanup_process struct process *process = open_process(*state, PID);
    char path[128];
    const struct proc_folder *proc = *state;
    struct stat file;
    cleanup_fd int fd = -1;
    snprintf(path, sizeof(path), "%s/root-of-7/a.so", proc->path);
    assert_int_equal(stat(path, &file), 0);
    struct mapping mapping = {.start = 0x1000, .end = 0x2000, .inode = file.st_ino + 1, .path = path};
    check_kind(process_open_mapping(process, &mapping, &fd), ERROR_NOT_FOUND);
    mapping.inode = file.st_ino;
    assert_null(process_open_mapping(process, &mapping, &fd));
}

static void the_cpu_time_of_a_living_process_grows(void **state)
{
    (void)state;
    cleanup_process struct process *process = NULL;
    uint64_t first, last;
    assert_null(process_open(NULL, getpid(), &process));
    assert_true(process_read_cpu_time(process, &first));
    do
        assert_true(process_read_cpu_time(process, &last));
    while (last == first);
    assert_true(last > first);
}

static void a_process_of_a_made_up_procfs_has_no_cpu_time(void **state)
{
    struct proc_folder *proc = *state;
    cleanup_process struct process *process = NULL;
    uint64_t time;
    assert_null(process_open(proc->path, 7, &process));
    assert_false(process_read_cpu_time(process, &time));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_process_has_its_number_and_start_time),
        TEST(the_cpu_time_of_a_living_process_grows),
        TEST(a_process_of_a_made_up_procfs_has_no_cpu_time),
        TEST(a_process_that_does_not_exist_is_gone),
        TEST(a_process_without_stat_is_gone),
        TEST(a_stat_of_garbage_is_bad_data),
        TEST(a_threads_number_is_taken_as_its_processs),
        TEST(without_a_status_the_number_itself_is_taken),
        TEST(a_zombie_does_not_run),
        TEST(a_file_that_is_missing_means_that_the_process_ended),
        TEST(a_file_replaces_what_the_buffer_held),
        TEST(the_command_line_has_blanks_between_its_words),
        TEST(maps_are_parsed),
        TEST(thread_ids_are_the_numbers_of_the_task_folder),
        TEST(the_executables_path_loses_the_kernels_mark),
        TEST(another_executable_or_place_is_another_program),
        TEST(files_are_looked_for_inside_of_the_targets_root),
        TEST(no_path_leads_out_of_the_targets_root),
        TEST(a_mapping_that_is_no_regular_file_or_deleted_is_told),
        TEST(without_a_root_no_file_is_seen),
        TEST(when_the_main_thread_has_ended_another_shows_what_they_share),
        TEST(a_thread_of_another_process_shows_nothing_of_ours),
        TEST(when_all_threads_have_ended_the_process_has),
        TEST(system_calls_know_a_process_only_by_a_number_of_our_namespace),
        TEST(a_process_that_procfs_does_not_show_is_said_to_be_hidden),
        TEST(a_child_keeps_its_number_where_procfs_is_ours),
        TEST(the_executable_is_opened_without_its_path),
        TEST(a_path_as_we_see_it_has_to_lead_to_the_same_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
