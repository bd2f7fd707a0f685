/* SPDX-License-Identifier: MIT */
#include "target/waiting.h"

#include "base/cleanup.h"
#include "fake_memory.h"
#include "proc_folder.h"
#include "target/process.h"
#include "target/task.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

static const char stat_text[] = "7 (python3) S 1 7 7 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5000 1 1 1 4096 1 1 1 "
                                "0 0 0 0 0 0 0 0 17 3 0 0 0 0 0\n";

enum { ADDRESS = 0x1000, SECOND = 1000000000, HOUR_S = 3600 };

/* A thread of a process whose memory is one block. */
struct scene {
    struct proc_folder proc;
    struct process *process;
    struct task task;
    struct fake_memory fake;
    unsigned char bytes[256 * 1024];
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    proc_folder_create(&scene->proc);
    proc_folder_put_text(&scene->proc, "7/stat", stat_text);
    proc_folder_put_text(&scene->proc, "7/task/7/stat", stat_text);
    assert_null(process_open(scene->proc.path, 7, &scene->process));
    assert_null(task_init(&scene->task, scene->process, 7));
    fake_memory_init(&scene->fake);
    fake_memory_map(&scene->fake, ADDRESS, scene->bytes, sizeof(scene->bytes));
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    task_deinit(&scene->task);
    process_destroy(scene->process);
    proc_folder_destroy(&scene->proc);
    free(scene);
    return 0;
}

/* Lets the thread sleep in a call, and reads what it waits for. */
static struct waiting wait_in(struct scene *scene, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    char text[256];
    struct waiting waiting = {0};
    snprintf(text, sizeof(text), "%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x0 0x7ff0 0x7ff8\n", number, a, b, c, d,
             number == SYS_pselect6 ? (unsigned long)ADDRESS : 0);
    proc_folder_put_text(&scene->proc, "7/task/7/syscall", text);
    assert_true(waiting_read(&scene->task, &scene->fake.memory, &waiting));
    assert_int_equal(waiting.number, number);
    return waiting;
}

static void put_time(struct scene *scene, int64_t first, int64_t second)
{
    const int64_t words[] = {first, second};
    memcpy(scene->bytes, words, sizeof(words));
}

/* Puts a time of a clock that lies so many seconds ahead. */
static void put_deadline(struct scene *scene, clockid_t clock, int64_t seconds)
{
    struct timespec now;
    clock_gettime(clock, &now);
    put_time(scene, now.tv_sec + seconds, now.tv_nsec);
}

static void a_thread_that_is_in_no_call_waits_for_nothing(void **state)
{
    struct scene *scene = *state;
    struct waiting waiting;
    static const char *const texts[] = {"running\n", "-1 0x7ffd5fcd2520 0x7ffd5fcd256\n", "", "x"};
    assert_false(waiting_read(&scene->task, &scene->fake.memory, &waiting));
    for (size_t i = 0; i < array_size(texts); i++) {
        proc_folder_put_text(&scene->proc, "7/task/7/syscall", texts[i]);
        assert_false(waiting_read(&scene->task, &scene->fake.memory, &waiting));
    }
}

static void a_call_has_its_name(void **state)
{
    struct scene *scene = *state;
    struct waiting waiting = wait_in(scene, SYS_sched_yield, 1, 2, 3, 4);
    assert_int_equal(waiting.kind, WAITING_FOR_CALL);
    assert_string_equal(waiting.system_call, "sched_yield");
    waiting = wait_in(scene, 1000000, 1, 2, 3, 4);
    assert_int_equal(waiting.kind, WAITING_FOR_CALL);
    assert_null(waiting.system_call);
    assert_null(system_call_name(UINT64_MAX));
    assert_string_equal(system_call_name(SYS_futex), "futex");
    assert_string_equal(system_call_name(SYS_read), "read");
}

static void calls_about_one_file_say_which(void **state)
{
    struct scene *scene = *state;
    static const struct {
        long number;
        enum waiting_action action;
    } rows[] = {
        {SYS_read, WAITING_TO_READ},      {SYS_recvfrom, WAITING_TO_READ},   {SYS_write, WAITING_TO_WRITE},
        {SYS_accept4, WAITING_TO_ACCEPT}, {SYS_connect, WAITING_TO_CONNECT}, {SYS_flock, WAITING_TO_LOCK},
        {SYS_fsync, WAITING_TO_SYNC},     {SYS_ioctl, WAITING_TO_DO},
    };
    for (size_t i = 0; i < array_size(rows); i++) {
        struct waiting waiting = wait_in(scene, rows[i].number, 5, 0, 0, 0);
        assert_int_equal(waiting.kind, WAITING_FOR_FILES);
        assert_int_equal(waiting.action, rows[i].action);
        assert_int_equal(waiting.file_count, 1);
        assert_int_equal(waiting.files[0], 5);
        assert_int_equal(waiting.remaining_ns, -1);
        assert_int_equal(waiting.limit_ns, -1);
    }
    assert_int_equal(wait_in(scene, SYS_fcntl, 5, F_SETLKW, 0, 0).action, WAITING_TO_LOCK);
    assert_int_equal(wait_in(scene, SYS_fcntl, 5, F_SETLK, 0, 0).action, WAITING_TO_DO);
    struct waiting waiting = wait_in(scene, SYS_openat, (uint64_t)AT_FDCWD, 0x4711, 0, 0);
    assert_int_equal(waiting.kind, WAITING_FOR_PATH);
    assert_int_equal(waiting.path, 0x4711);
}

static void check_remaining(const struct waiting *waiting, int64_t seconds)
{
    assert_int_equal(waiting->limit_ns, -1);
    assert_in_range(waiting->remaining_ns, (seconds - 30) * SECOND, seconds * SECOND);
}

static void what_is_left_until_a_point_in_time_is_told(void **state)
{
    struct scene *scene = *state;
    put_deadline(scene, CLOCK_MONOTONIC, HOUR_S);
    struct waiting waiting = wait_in(scene, SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, ADDRESS, 0);
    assert_int_equal(waiting.kind, WAITING_FOR_TIME);
    check_remaining(&waiting, HOUR_S);
    waiting = wait_in(scene, SYS_futex, 0x4000, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 3, ADDRESS);
    assert_int_equal(waiting.kind, WAITING_FOR_FUTEX);
    assert_int_equal(waiting.futex, 0x4000);
    assert_int_equal(waiting.futex_value, 3);
    assert_false(waiting.is_futex_with_tid);
    check_remaining(&waiting, HOUR_S);
    put_deadline(scene, CLOCK_REALTIME, HOUR_S);
    waiting = wait_in(scene, SYS_futex, 0x4000, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 3, ADDRESS);
    check_remaining(&waiting, HOUR_S);
    waiting = wait_in(scene, SYS_futex, 0x4000, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, ADDRESS);
    assert_true(waiting.is_futex_with_tid);
    check_remaining(&waiting, HOUR_S);
}

static void a_point_in_time_that_has_passed_makes_no_sense_or_is_now(void **state)
{
    struct scene *scene = *state;
    put_deadline(scene, CLOCK_MONOTONIC, 0);
    assert_int_equal(wait_in(scene, SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, ADDRESS, 0).remaining_ns, 0);
    put_deadline(scene, CLOCK_MONOTONIC, -5);
    assert_int_equal(wait_in(scene, SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, ADDRESS, 0).remaining_ns, -1);
    /* A clock that does not exist. */
    assert_int_equal(wait_in(scene, SYS_clock_nanosleep, 4711, TIMER_ABSTIME, ADDRESS, 0).remaining_ns, -1);
}

static void a_length_of_time_is_told_as_it_is(void **state)
{
    struct scene *scene = *state;
    const int64_t expected = 2 * SECOND + (int64_t)500000;
    put_time(scene, 2, 500000);
    assert_int_equal(wait_in(scene, SYS_nanosleep, ADDRESS, 0, 0, 0).limit_ns, expected);
    assert_int_equal(wait_in(scene, SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, ADDRESS, 0).limit_ns, expected);
    assert_int_equal(wait_in(scene, SYS_futex, 0x4000, FUTEX_WAIT, 0, ADDRESS).limit_ns, expected);
    struct waiting waiting = wait_in(scene, SYS_pselect6, 0, 0, 0, 0);
    assert_int_equal(waiting.kind, WAITING_FOR_TIME);
    assert_int_equal(waiting.limit_ns, expected);
    assert_int_equal(wait_in(scene, SYS_epoll_pwait, 5, 0, 0, 1500).limit_ns, (int64_t)1500 * 1000000);
    assert_int_equal(wait_in(scene, SYS_epoll_pwait, 5, 0, 0, UINT32_MAX).limit_ns, -1);
}

static void a_time_that_is_none_is_left_out(void **state)
{
    struct scene *scene = *state;
    static const int64_t times[][2] = {{-1, 0}, {0, -1}, {0, SECOND}, {INT64_MAX, 0}, {INT64_MIN, INT64_MIN}};
    for (size_t i = 0; i < array_size(times); i++) {
        put_time(scene, times[i][0], times[i][1]);
        assert_int_equal(wait_in(scene, SYS_nanosleep, ADDRESS, 0, 0, 0).limit_ns, -1);
    }
    assert_int_equal(wait_in(scene, SYS_nanosleep, 0, 0, 0, 0).limit_ns, -1);
    assert_int_equal(wait_in(scene, SYS_nanosleep, 0xdead0000, 0, 0, 0).limit_ns, -1);
    assert_int_equal(wait_in(scene, SYS_nanosleep, UINT64_MAX, 0, 0, 0).limit_ns, -1);
}

static void put_polled(struct scene *scene, const struct pollfd *polled, size_t count)
{
    memcpy(scene->bytes, polled, count * sizeof(*polled));
}

static void polled_files_are_listed(void **state)
{
    struct scene *scene = *state;
    const struct pollfd polled[] = {{3, POLLIN, 0}, {-1, POLLOUT, 0}, {5, POLLIN | POLLPRI, 0}};
    put_polled(scene, polled, array_size(polled));
    struct waiting waiting = wait_in(scene, SYS_ppoll, ADDRESS, 3, 0, 0);
    assert_int_equal(waiting.kind, WAITING_FOR_FILES);
    assert_int_equal(waiting.action, WAITING_TO_READ);
    assert_int_equal(waiting.file_count, 2);
    assert_int_equal(waiting.files[0], 3);
    assert_int_equal(waiting.files[1], 5);
    const struct pollfd mixed[] = {{3, POLLIN, 0}, {5, POLLOUT, 0}};
    put_polled(scene, mixed, array_size(mixed));
    assert_int_equal(wait_in(scene, SYS_ppoll, ADDRESS, 2, 0, 0).action, WAITING_FOR_EVENTS);
    assert_int_equal(wait_in(scene, SYS_ppoll, ADDRESS + sizeof(mixed[0]), 1, 0, 0).action, WAITING_TO_WRITE);
    assert_int_equal(wait_in(scene, SYS_ppoll, ADDRESS, 0, 0, 0).kind, WAITING_FOR_TIME);
}

static void more_polled_files_than_are_listed_are_counted(void **state)
{
    struct scene *scene = *state;
    struct pollfd polled[WAITING_WATCH_LIMIT];
    for (int i = 0; i < WAITING_WATCH_LIMIT; i++)
        polled[i] = (struct pollfd){.fd = i, .events = POLLIN};
    put_polled(scene, polled, array_size(polled));
    struct waiting waiting = wait_in(scene, SYS_ppoll, ADDRESS, WAITING_WATCH_LIMIT, 0, 0);
    assert_int_equal(waiting.file_count, WAITING_FILE_LIMIT);
    assert_int_equal(waiting.more_files, WAITING_WATCH_LIMIT - WAITING_FILE_LIMIT);
    assert_int_equal(waiting.action, WAITING_TO_READ);
    waiting = wait_in(scene, SYS_ppoll, ADDRESS, WAITING_WATCH_LIMIT + 9, 0, 0);
    assert_int_equal(waiting.more_files, WAITING_WATCH_LIMIT - WAITING_FILE_LIMIT + 9);
    assert_int_equal(waiting.action, WAITING_FOR_EVENTS);
    assert_int_equal(wait_in(scene, SYS_ppoll, ADDRESS, UINT64_MAX, 0, 0).file_count, WAITING_FILE_LIMIT);
    /* An array that cannot be read names no files, but that does not make a sleep of it. */
    waiting = wait_in(scene, SYS_ppoll, 0xdead0000, 2, 0, 0);
    assert_int_equal(waiting.kind, WAITING_FOR_FILES);
    assert_int_equal(waiting.file_count, 0);
}

static void selected_files_are_listed(void **state)
{
    struct scene *scene = *state;
    const uint64_t read_set = ADDRESS + 64, write_set = ADDRESS + 1024;
    put_time(scene, 1, 0);
    scene->bytes[64] = 1 << 3;
    scene->bytes[64 + 8] = 1 << 1;
    scene->bytes[1024] = 1 << 3;
    struct waiting waiting = wait_in(scene, SYS_pselect6, 66, read_set, 0, 0);
    assert_int_equal(waiting.action, WAITING_TO_READ);
    assert_int_equal(waiting.file_count, 2);
    assert_int_equal(waiting.files[0], 3);
    assert_int_equal(waiting.files[1], 65);
    assert_int_equal(waiting.limit_ns, SECOND);
    /* What lies behind the number of descriptors is none. */
    assert_int_equal(wait_in(scene, SYS_pselect6, 65, read_set, 0, 0).file_count, 1);
    assert_int_equal(wait_in(scene, SYS_pselect6, 66, 0, write_set, 0).action, WAITING_TO_WRITE);
    assert_int_equal(wait_in(scene, SYS_pselect6, 66, read_set, write_set, 0).action, WAITING_FOR_EVENTS);
    assert_int_equal(wait_in(scene, SYS_pselect6, 66, 0, 0, read_set).action, WAITING_FOR_EVENTS);
    waiting = wait_in(scene, SYS_pselect6, 66, 0xdead0000, 0, 0);
    assert_int_equal(waiting.kind, WAITING_FOR_FILES);
    assert_int_equal(waiting.file_count, 0);
    memset(scene->bytes + 64, 0xff, 2 * WAITING_WATCH_LIMIT / 8);
    waiting = wait_in(scene, SYS_pselect6, UINT64_MAX, read_set, 0, 0);
    assert_int_equal(waiting.file_count + waiting.more_files, WAITING_WATCH_LIMIT);
}

static void files_watched_by_epoll_are_listed(void **state)
{
    struct scene *scene = *state;
    struct waiting waiting = wait_in(scene, SYS_epoll_pwait, 4, ADDRESS, 10, UINT32_MAX);
    assert_int_equal(waiting.kind, WAITING_FOR_FILES);
    assert_int_equal(waiting.poller, 4);
    assert_int_equal(waiting.file_count, 0);
    proc_folder_put_text(&scene->proc, "7/task/7/fdinfo/4",
                         "pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t1034\n"
                         "tfd:        7 events:       19 data:                7  pos:0 ino:1 sdev:8\n"
                         "tfd:        9 events:       19 data:                9  pos:0 ino:2 sdev:8\n");
    waiting = wait_in(scene, SYS_epoll_pwait, 4, ADDRESS, 10, UINT32_MAX);
    assert_int_equal(waiting.file_count, 2);
    assert_int_equal(waiting.files[0], 7);
    assert_int_equal(waiting.files[1], 9);
    char text[64 * WAITING_FILE_LIMIT] = "";
    for (int i = 0; i < WAITING_FILE_LIMIT + 3; i++)
        strcat(text, "tfd: 99999999999999999999\n"); /* absurd, and too many */
    proc_folder_put_text(&scene->proc, "7/task/7/fdinfo/4", text);
    waiting = wait_in(scene, SYS_epoll_pwait, 4, ADDRESS, 10, UINT32_MAX);
    assert_int_equal(waiting.file_count, WAITING_FILE_LIMIT);
    assert_int_equal(waiting.more_files, 3);
}

static void children_are_told_by_their_numbers(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(wait_in(scene, SYS_wait4, 4711, 0, 0, 0).child, 4711);
    assert_int_equal(wait_in(scene, SYS_wait4, UINT32_MAX, 0, 0, 0).child, -1);
    assert_int_equal(wait_in(scene, SYS_wait4, 0, 0, 0, 0).child, -1);
    assert_int_equal(wait_in(scene, SYS_waitid, P_PID, 4711, 0, 0).child, 4711);
    assert_int_equal(wait_in(scene, SYS_waitid, P_ALL, 4711, 0, 0).child, -1);
    assert_int_equal(wait_in(scene, SYS_waitid, P_PGID, 4711, 0, 0).child, -1);
    assert_int_equal(wait_in(scene, SYS_waitid, 4711, 4711, 0, 0).kind, WAITING_FOR_CHILD);
}

static void what_stands_for_a_process_is_waited_for_as_one(void **state)
{
    struct scene *scene = *state;
    const struct pollfd polled = {6, POLLIN, 0};
    put_polled(scene, &polled, 1);
    proc_folder_link(&scene->proc, "7/task/7/fd/6", "anon_inode:[pidfd]");
    proc_folder_put_text(&scene->proc, "7/task/7/fdinfo/6", "pos:\t0\nflags:\t02\nPid:\t4711\nNSpid:\t4711\n");
    struct waiting waiting = wait_in(scene, SYS_ppoll, ADDRESS, 1, 0, 0);
    assert_int_equal(waiting.kind, WAITING_FOR_CHILD);
    assert_int_equal(waiting.shown_child, 4711);
    assert_int_equal(waiting.file_count, 0);
    assert_int_equal(wait_in(scene, SYS_waitid, P_PIDFD, 6, 0, 0).shown_child, 4711);
    proc_folder_put_text(&scene->proc, "7/task/7/fdinfo/6", "Pid:\t-1\n");
    assert_int_equal(wait_in(scene, SYS_ppoll, ADDRESS, 1, 0, 0).shown_child, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_thread_that_is_in_no_call_waits_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_call_has_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calls_about_one_file_say_which, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_until_a_point_in_time_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_point_in_time_that_has_passed_makes_no_sense_or_is_now, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_length_of_time_is_told_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_time_that_is_none_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(polled_files_are_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_polled_files_than_are_listed_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(selected_files_are_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_watched_by_epoll_are_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(children_are_told_by_their_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_stands_for_a_process_is_waited_for_as_one, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
