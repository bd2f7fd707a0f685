/* SPDX-License-Identifier: MIT */
#include "formats/collapsed_text.h"

#include "base/buffer.h"
#include "base/cleanup.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void append(struct buffer *out, struct text_piece piece)
{
    if (piece.text)
        buffer_append(out, piece.text, piece.len);
    else
        buffer_append_char(out, '-');
}

/* Compares with "name|file|line". */
static void check_frame(const char *text, const char *expected)
{
    cleanup_buffer struct buffer found = {0};
    struct collapsed_frame frame = collapsed_read_frame(text, strlen(text));
    append(&found, frame.name);
    buffer_append_char(&found, '|');
    append(&found, frame.file);
    buffer_format(&found, "|%d", frame.line);
    assert_string_equal(buffer_text(&found), expected);
}

static void frames_have_places_behind_them(void **state)
{
    (void)state;
    check_frame("f (a.py:3)", "f|a.py|3");
    check_frame("<module> (/x y/a.py:3)", "<module>|/x y/a.py|3");
    check_frame("f (/a (b)/c.py:3)", "f|/a (b)/c.py|3");
    check_frame("f (<frozen importlib._bootstrap>:241)", "f|<frozen importlib._bootstrap>|241");
    check_frame("f (a.py)", "f|a.py|0");
    check_frame("f (x:y:2147483647)", "f|x:y|2147483647");
}

static void frames_have_places_around_them(void **state)
{
    (void)state;
    check_frame("a.py:f:3", "f|a.py|3");
    check_frame("/x/a.py:<module>:3", "<module>|/x/a.py|3");
    check_frame("<frozen site>:main:3", "main|<frozen site>|3");
}

static void everything_else_is_a_name(void **state)
{
    (void)state;
    static const char *const names[] = {
        "f",
        "<GC>",
        "f (int)",
        "operator() (x)",
        "f(a.py:3)",
        "(a.py:3)",
        " (a.py:3)",
        "f (a.py:3) ",
        "f (a.py:3",
        "f (:3)",
        "std::f:3",
        "GET /x:y:3",
        ":f:3",
        "f ()",
        "f (a.py:-3)",
        "f a.py:3)",
        "a:b:c",
        "a.py:f",
        "a.py::3",
        ")",
        "f (a:99999999999)",
        "",
    };
    for (size_t i = 0; i < array_size(names); i++) {
        char expected[64];
        snprintf(expected, sizeof(expected), "%s|-|0", names[i]);
        check_frame(names[i], expected);
    }
}

static void check_process(const char *text, int64_t pid, const char *command)
{
    struct collapsed_process process;
    assert_true(collapsed_read_process(text, strlen(text), &process));
    assert_int_equal(process.pid, pid);
    assert_int_equal(process.command.text == NULL, command == NULL);
    assert_int_equal(process.command.len, command ? strlen(command) : 0);
    assert_memory_equal(process.command.text ? process.command.text : "", command ? command : "", process.command.len);
}

static void processes_are_known_by_their_words(void **state)
{
    (void)state;
    struct collapsed_process process;
    static const char *const others[] = {
        "process",      "process ",     "process x",     "process 0",
        "process 12x",  "process 12 x", "process -1: x", "process 99999999999999999999",
        "processes 12", "P12"};
    check_process("process 12: python a.py", 12, "python a.py");
    check_process("process 12:\"python 'a.py'\"", 12, "python 'a.py'");
    check_process("process 12:\"", 12, NULL);
    check_process("process 12", 12, NULL);
    check_process("process_12", 12, NULL);
    check_process("process 12: ", 12, NULL);
    for (size_t i = 0; i < array_size(others); i++)
        assert_false(collapsed_read_process(others[i], strlen(others[i]), &process));
}

static void check_thread(const char *text, int64_t os_id, uint64_t id, const char *name)
{
    struct collapsed_thread thread;
    assert_true(collapsed_read_thread(text, strlen(text), &thread));
    assert_int_equal(thread.os_id, os_id);
    assert_int_equal(thread.id, id);
    assert_int_equal(thread.name.text == NULL, name == NULL);
    assert_int_equal(thread.name.len, name ? strlen(name) : 0);
    assert_memory_equal(thread.name.text ? thread.name.text : "", name ? name : "", thread.name.len);
}

static void threads_are_known_by_their_words(void **state)
{
    (void)state;
    struct collapsed_thread thread;
    static const char *const others[] = {"thread",     "thread ",        "threads",     "thread (",     "thread ()",
                                         "thread (x)", "thread (0x): a", "thread (1)a", "thread (1) a", "thread x",
                                         "tid:",       "tid:x",          "T1"};
    check_thread("thread (12): MainThread", 12, 0, "MainThread");
    check_thread("thread (0x7f12): a: b", 0, 0x7f12, "a: b");
    check_thread("thread (0X7F12)", 0, 0x7f12, NULL);
    check_thread("thread: a", 0, 0, "a");
    check_thread("tid:12", 12, 0, NULL);
    for (size_t i = 0; i < array_size(others); i++)
        assert_false(collapsed_read_thread(others[i], strlen(others[i]), &thread));
}

static void austin_has_short_words(void **state)
{
    (void)state;
    struct collapsed_process process;
    struct collapsed_thread thread;
    assert_true(collapsed_read_short_process("P12", 3, &process));
    assert_int_equal(process.pid, 12);
    assert_true(collapsed_read_short_thread("T12", 3, &thread));
    assert_int_equal(thread.os_id, 12);
    assert_true(collapsed_read_short_thread("T0:12", 5, &thread));
    assert_int_equal(thread.os_id, 12);
    assert_false(collapsed_read_short_process("Process", 7, &process));
    assert_false(collapsed_read_short_thread("T0:", 3, &thread));
    assert_true(collapsed_is_austins("P1;T2", 5));
    assert_true(collapsed_is_austins("P1;T0:2;a.py:f:3", 16));
    assert_false(collapsed_is_austins("P1", 2));
    assert_false(collapsed_is_austins("P1;", 3));
    assert_false(collapsed_is_austins("P1;f", 4));
    assert_false(collapsed_is_austins("T2;P1", 5));
}

static void check_split(const char *line, const char *stack, uint64_t count)
{
    size_t len;
    uint64_t found;
    assert_true(collapsed_split(line, strlen(line), &len, &found));
    assert_int_equal(len, strlen(stack));
    assert_int_equal(found, count);
}

static void the_count_is_behind_the_last_space(void **state)
{
    (void)state;
    size_t len;
    uint64_t count;
    static const char *const others[] = {
        "", "a", "a;b", "a;b ", "12", " 12", "a 1.5", "a -1", "a\t12", "a 1e3", "a 18446744073709551616"};
    check_split("a;b 12", "a;b", 12);
    check_split("a b;c (d) 12", "a b;c (d)", 12);
    check_split("a 1 2", "a 1", 2);
    check_split("a 0", "a", 0);
    for (size_t i = 0; i < array_size(others); i++)
        assert_false(collapsed_split(others[i], strlen(others[i]), &len, &count));
}

static void check_kind(const char *text, enum frame_kind kind, const char *expected)
{
    check_frame(text, expected);
    assert_int_equal(collapsed_read_frame(text, strlen(text)).kind, kind);
}

static void native_frames_are_known_by_their_files(void **state)
{
    (void)state;
    check_kind("read (libc.so.6)", FRAME_NATIVE, "read|libc.so.6|0");
    check_kind("list_sort (python3.11)", FRAME_NATIVE, "list_sort|python3.11|0");
    check_kind("list_sort (/usr/bin/python3.11)", FRAME_NATIVE, "list_sort|/usr/bin/python3.11|0");
    check_kind("list_sort (Objects/listobject.c:12)", FRAME_NATIVE, "list_sort|Objects/listobject.c|12");
    check_kind("step (fast.pyx)", FRAME_NATIVE, "step|fast.pyx|0");
    check_kind("at::f(int, (x)) const (libtorch.so)", FRAME_NATIVE, "at::f(int, (x)) const|libtorch.so|0");
    check_kind("read (kernel)", FRAME_KERNEL, "read|-|0");
    check_kind("f (a.py:3)", FRAME_PYTHON, "f|a.py|3");
    check_kind("worker (python)", FRAME_PYTHON, "worker (python)|-|0");
    check_kind("kernel", FRAME_PYTHON, "kernel|-|0");
    check_kind("a.py:f:3", FRAME_PYTHON, "f|a.py|3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_have_places_behind_them),
        cmocka_unit_test(native_frames_are_known_by_their_files),
        cmocka_unit_test(frames_have_places_around_them),
        cmocka_unit_test(everything_else_is_a_name),
        cmocka_unit_test(processes_are_known_by_their_words),
        cmocka_unit_test(threads_are_known_by_their_words),
        cmocka_unit_test(austin_has_short_words),
        cmocka_unit_test(the_count_is_behind_the_last_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
