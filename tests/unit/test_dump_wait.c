/* SPDX-License-Identifier: MIT */
#include "formats/dump_wait.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/process_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        (char *)(literal), sizeof(literal) - 1                                                                         \
    }

/* -1 stands for what is not known. */
#define WAIT(of_kind, remaining, limit, of_pid, by_poller, ...)                                                        \
    {                                                                                                                  \
        .kind = of_kind, .remaining_ns = remaining, .limit_ns = limit, .pid = of_pid, .poller = by_poller, __VA_ARGS__ \
    }

enum { SECOND = 1000000000, MANY = 12 };

static void check_text(const struct dump_wait *wait, const char *expected)
{
    struct dump_thread threads[] = {{.id = 5, .os_id = 55}, {.id = 7, .os_id = 77, .name = TEXT("wor\nker")}};
    const struct process_dump dump = {.threads = threads, .thread_count = array_size(threads)};
    cleanup_buffer struct buffer text = {0};
    dump_wait_append_text(&text, &dump, wait);
    assert_string_equal(buffer_text(&text), expected);
}

static void locks_are_told_with_who_has_them(void **state)
{
    (void)state;
    static const struct {
        struct dump_wait wait;
        const char *text;
    } rows[] = {
        {WAIT(WAIT_NONE, -1, -1, -1, -1, .address = 1), ""},
        {WAIT(WAIT_GIL, -1, -1, -1, -1, .address = 0), "    waits for the GIL\n"},
        {WAIT(WAIT_GIL, -1, -1, -1, -1, .owner = 7, .owner_os_id = 77),
         "    waits for the GIL, which thread 77 \"wor\\x0aker\" has\n"},
        {WAIT(WAIT_LOCK, -1, -1, -1, -1, .address = 0x7f00), "    waits for the lock 0x7f00\n"},
        {WAIT(WAIT_LOCK, SECOND / 4, -1, -1, -1, .address = 0x7f00, .target = TEXT("thread.lock")),
         "    waits for the lock 0x7f00, 0.25 s remain\n"},
        {WAIT(WAIT_LOCK, -1, -1, -1, -1, .address = 0x7f00, .target = TEXT("_thread.RLock"), .owner = 5,
              .owner_os_id = 55),
         "    waits for the RLock 0x7f00, held by thread 55\n"},
        {WAIT(WAIT_LOCK, -1, -1, -1, -1, .address = 0x7f00, .target = TEXT("_thread.RLock"), .owner = 0xabc),
         "    waits for the RLock 0x7f00, held by thread 0xABC\n"},
        {WAIT(WAIT_LOCK, -1, -1, -1, -1, .address = 0x7f00, .target = TEXT("_queue.SimpleQueue")),
         "    waits for the _queue.SimpleQueue 0x7f00\n"},
        {WAIT(WAIT_THREAD, -1, -1, -1, -1, .owner = 7, .owner_os_id = 77),
         "    waits for the end of thread 77 \"wor\\x0aker\"\n"},
        {WAIT(WAIT_THREAD, -1, -1, -1, -1, .address = 0), "    waits for the end of a thread\n"},
        {WAIT(WAIT_FUTEX, -1, -1, -1, -1, .address = 0x7f00), "    waits at the futex 0x7f00\n"},
        {WAIT(WAIT_FUTEX, -1, 2 * SECOND, -1, -1, .address = 0x7f00, .owner_os_id = 99),
         "    waits at the futex 0x7f00, a mutex held by thread 99, for 2.00 s at most\n"},
    };
    for (size_t i = 0; i < array_size(rows); i++)
        check_text(&rows[i].wait, rows[i].text);
}

static void sleeps_children_and_other_calls_are_told(void **state)
{
    (void)state;
    static const struct {
        struct dump_wait wait;
        const char *text;
    } rows[] = {
        {WAIT(WAIT_SLEEP, -1, -1, -1, -1, .address = 0), "    sleeps\n"},
        {WAIT(WAIT_SLEEP, 0, -1, -1, -1, .address = 0), "    sleeps, 0.00 s remain\n"},
        {WAIT(WAIT_SLEEP, -1, SECOND, -1, -1, .address = 0), "    sleeps for 1.00 s\n"},
        {WAIT(WAIT_SLEEP, SECOND / 2, SECOND, -1, -1, .address = 0), "    sleeps, 0.50 s remain\n"},
        {WAIT(WAIT_CHILD, -1, -1, -1, -1, .address = 0), "    waits for a child\n"},
        {WAIT(WAIT_CHILD, -1, -1, 4321, -1, .address = 0), "    waits for child 4321\n"},
        {WAIT(WAIT_CHILD, -1, -1, 4321, -1, .target = TEXT("a\x1b[2J")), "    waits for child 4321: a\\x1b[2J\n"},
        {WAIT(WAIT_SYSCALL, -1, -1, -1, -1, .system_call = "pause"), "    is in the system call pause\n"},
        {WAIT(WAIT_SYSCALL, -1, -1, -1, -1, .address = 0), "    is in the system call (unknown)\n"},
    };
    for (size_t i = 0; i < array_size(rows); i++)
        check_text(&rows[i].wait, rows[i].text);
}

static void files_are_told_with_what_they_lead_to(void **state)
{
    (void)state;
    static struct dump_file one[] = {{5, TEXT("socket 127.0.0.1:80 -> 127.0.0.1:1234")}};
    static struct dump_file unknown[] = {{5, {0}}};
    static struct dump_file two[] = {{5, TEXT("a\nb")}, {6, {0}}};
    static struct dump_file many[MANY];
    static const struct {
        struct dump_wait wait;
        const char *text;
    } rows[] = {
        {WAIT(WAIT_IO, -1, -1, -1, -1, .action = WAIT_TO_READ, .files = one, .file_count = 1),
         "    reads from file 5: socket 127.0.0.1:80 -> 127.0.0.1:1234\n"},
        {WAIT(WAIT_IO, -1, -1, -1, -1, .action = WAIT_TO_WRITE, .files = unknown, .file_count = 1),
         "    writes to file 5\n"},
        {WAIT(WAIT_IO, SECOND, -1, -1, -1, .action = WAIT_TO_READ, .files = two, .file_count = 2),
         "    waits to read from files 5 (a\\x0ab), 6, 1.00 s remain\n"},
        {WAIT(WAIT_IO, -1, -1, -1, 9, .action = WAIT_FOR_EVENTS, .files = two, .file_count = 1, .more_files = 2),
         "    waits for files 5 (a\\x0ab) and 2 others, by the epoll 9\n"},
        {WAIT(WAIT_IO, -1, -1, -1, -1, .action = WAIT_FOR_EVENTS, .files = many, .file_count = MANY),
         "    waits for files 0, 0, 0, 0, 0, 0, 0, 0 and 4 others\n"},
        {WAIT(WAIT_IO, -1, -1, -1, 9, .action = WAIT_FOR_EVENTS), "    waits for files, by the epoll 9\n"},
        {WAIT(WAIT_IO, -1, -1, -1, -1, .action = WAIT_TO_OPEN, .target = TEXT("/tmp/a\x07")),
         "    opens /tmp/a\\x07\n"},
        {WAIT(WAIT_IO, -1, -1, -1, -1, .action = WAIT_TO_DO, .system_call = "ioctl", .files = unknown, .file_count = 1),
         "    is in the system call ioctl at file 5\n"},
        {WAIT(WAIT_IO, -1, -1, -1, -1, .action = WAIT_TO_LOCK, .files = unknown, .file_count = 1),
         "    waits for a lock of file 5\n"},
    };
    for (size_t i = 0; i < array_size(rows); i++)
        check_text(&rows[i].wait, rows[i].text);
}

static void check_json(const struct dump_wait *wait, const char *expected)
{
    cleanup_buffer struct buffer json = {0};
    dump_wait_append_json(&json, wait);
    assert_string_equal(buffer_text(&json), expected);
}

static void json_has_every_field(void **state)
{
    (void)state;
    static struct dump_file two[] = {{5, TEXT("a\"b\n")}, {6, {0}}};
    const struct dump_wait nothing = {0};
    const struct dump_wait lock = WAIT(WAIT_LOCK, -1, -1, -1, -1, .system_call = "futex", .owner = 7, .owner_os_id = 77,
                                       .address = 4096, .target = TEXT("x.y"));
    const struct dump_wait files = WAIT(WAIT_IO, SECOND / 2, SECOND, -1, 9, .action = WAIT_FOR_EVENTS, .files = two,
                                        .file_count = 2, .more_files = 3);
    const struct dump_wait child = WAIT(WAIT_CHILD, -1, -1, 4321, -1, .address = 0);
    check_json(&nothing, "null");
    check_json(&lock, "{\"kind\": \"lock\", \"system_call\": \"futex\", \"action\": null, \"owner\": 7, "
                      "\"owner_os_id\": 77, \"address\": 4096, \"remaining\": null, \"limit\": null, \"pid\": null, "
                      "\"target\": \"x.y\", \"epoll\": null, \"files\": [], \"more_files\": 0}");
    check_json(&files,
               "{\"kind\": \"io\", \"system_call\": null, \"action\": \"events\", \"owner\": null, "
               "\"owner_os_id\": null, \"address\": null, \"remaining\": 0.500000, \"limit\": 1.000000, \"pid\": null, "
               "\"target\": null, \"epoll\": 9, \"files\": [{\"fd\": 5, \"target\": \"a\\\"b\\u000a\"}, "
               "{\"fd\": 6, \"target\": null}], \"more_files\": 3}");
    check_json(&child, "{\"kind\": \"child\", \"system_call\": null, \"action\": null, \"owner\": null, "
                       "\"owner_os_id\": null, \"address\": null, \"remaining\": null, \"limit\": null, "
                       "\"pid\": 4321, \"target\": null, \"epoll\": null, \"files\": [], \"more_files\": 0}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_are_told_with_who_has_them),
        cmocka_unit_test(sleeps_children_and_other_calls_are_told),
        cmocka_unit_test(files_are_told_with_what_they_lead_to),
        cmocka_unit_test(json_has_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
