/* SPDX-License-Identifier: MIT */
#include "formats/dump_formats.h"

#include "profile/process_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        (char *)(literal), sizeof(literal) - 1                                                                         \
    }

static struct dump_frame frame_of(const char *name, int32_t line)
{
    return (struct dump_frame){
        .name = {(char *)name, strlen(name)},
        .filename = TEXT("/lib/a.py"),
        .short_filename = TEXT("a.py"),
        .line = line,
        .column = -1,
        .end_column = -1,
    };
}

static struct dump_frame frame_with_source(int32_t end_line, int32_t column, int32_t end_column, const char *source)
{
    struct dump_frame frame = frame_of("f", 2);
    frame.end_line = end_line;
    frame.column = column;
    frame.end_column = end_column;
    frame.source = (struct dump_text){(char *)source, strlen(source)};
    return frame;
}

static char *print_thread_of(const char *core_file, struct dump_thread *thread, bool is_json)
{
    const struct process_dump dump = {
        .core_file = {(char *)core_file, core_file ? strlen(core_file) : 0},
        .pid = 2,
        .command_line = TEXT("python3"),
        .executable = TEXT("/python3"),
        .python_version = (char *)"3.11.2",
        .is_proved = true,
        .threads = thread,
        .thread_count = 1,
    };
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_null(is_json ? dump_format_json(&dump, out)
                        : dump_format_text(&dump, &(struct dump_format_options){0}, out));
    fclose(out);
    return text;
}

static char *print_thread(struct dump_thread *thread, bool is_json)
{
    return print_thread_of(NULL, thread, is_json);
}

/* What is printed for one thread, from its first line on. */
static char *print(struct dump_frame *frames, uint32_t count, const char *failure, bool is_json)
{
    struct dump_thread thread = {.id = 1, .os_id = 2, .frames = frames, .frame_count = count, .failure = failure};
    return print_thread(&thread, is_json);
}

static void check_text(struct dump_frame *frames, uint32_t count, const char *failure, const char *expected)
{
    char *text = print(frames, count, failure, false);
    const char *start = strstr(text, "Thread ");
    assert_non_null(start);
    assert_string_equal(start, expected);
    free(text);
}

static void a_frame_is_shown_with_its_source(void **state)
{
    (void)state;
    struct dump_frame frames[] = {
        frame_with_source(2, 6, 10, "  x = f(y)"),
        frame_with_source(4, 6, 1, "  x = f("),
        frame_with_source(0, -1, -1, "  x = f(y)"),
        frame_with_source(2, 2, 6, "  f(y)"),
        frame_of("g", 7),
    };
    check_text(frames, 5, NULL,
               "Thread 2 (idle)\n"
               "    f (a.py:2)\n        x = f(y)\n            ^^^^\n"
               "    f (a.py:2)\n        x = f(\n            ^^\n"
               "    f (a.py:2)\n        x = f(y)\n"
               "    f (a.py:2)\n        f(y)\n"
               "    g (a.py:7)\n");
}

static void what_is_missing_of_a_stack_is_said(void **state)
{
    (void)state;
    struct dump_frame frames[] = {frame_of("<unreadable>", 0), frame_of("f", 2), frame_of("<deeper frames>", 0)};
    frames[0].filename = frames[2].filename = (struct dump_text)TEXT("");
    check_text(frames, 3, NULL, "Thread 2 (idle)\n    <unreadable>\n    f (a.py:2)\n    <deeper frames>\n");
    check_text(frames, 2, "memory not mapped",
               "Thread 2 (idle)\n    <unreadable>\n    f (a.py:2)\n"
               "    (parts of the stack could not be read: memory not mapped)\n");
    check_text(frames, 0, "memory not mapped",
               "Thread 2 (idle)\n    (the stack could not be read: memory not mapped)\n");
}

static void json_has_positions_where_they_are_known(void **state)
{
    (void)state;
    struct dump_frame frames[] = {frame_with_source(3, 0, 10, "f(\n"), frame_of("g", 7)};
    char *text = print(frames, 2, NULL, true);
    assert_non_null(strstr(text, "\"line\": 2, \"end_line\": 3, \"column\": 0, \"end_column\": 10, \"locals\": null"));
    assert_non_null(
        strstr(text, "\"line\": 7, \"end_line\": null, \"column\": null, \"end_column\": null, \"locals\""));
    free(text);
}

static struct dump_variable variables[] = {
    {.name = TEXT("a"), .value = TEXT("1"), .is_argument = true},
    {.name = TEXT("b"), .value = TEXT("'\x1b'"), .is_unsteady = true},
    {.name = TEXT("c"), .value = TEXT("\"\xc3\xa9\"")},
};

static void variables_stand_under_their_frame(void **state)
{
    (void)state;
    struct dump_frame frames[] = {frame_with_source(2, 2, 6, "  f(y)"), frame_of("g", 7), frame_of("h", 8)};
    frames[0].variables = variables;
    frames[0].variable_count = 3;
    frames[1].variables = variables;
    frames[1].variable_count = 1;
    frames[2].variables = variables + 2;
    frames[2].variable_count = 1;
    check_text(frames, 3, NULL,
               "Thread 2 (idle)\n"
               "    f (a.py:2)\n        f(y)\n"
               "        Arguments:\n            a: 1\n"
               "        Locals:\n            b: '\\x1b' (changed while it was read)\n            c: \"\xc3\xa9\"\n"
               "    g (a.py:7)\n        Arguments:\n            a: 1\n"
               "    h (a.py:8)\n        Locals:\n            c: \"\xc3\xa9\"\n");
}

static void json_has_variables_if_they_were_read(void **state)
{
    (void)state;
    struct dump_frame frames[] = {frame_of("f", 2), frame_of("g", 3)};
    frames[0].variables = variables;
    frames[0].variable_count = 3;
    frames[1].variables = variables;
    char *text = print(frames, 2, NULL, true);
    assert_non_null(strstr(text,
                           "\"locals\": [\n"
                           "        {\"name\": \"a\", \"arg\": true, \"repr\": \"1\", \"unsteady\": false},\n"
                           "        {\"name\": \"b\", \"arg\": false, \"repr\": \"'\\u001b'\", \"unsteady\": true},\n"
                           "        {\"name\": \"c\", \"arg\": false, \"repr\": \"\\\"\xc3\xa9\\\"\", "
                           "\"unsteady\": false}]"));
    assert_non_null(strstr(text, "\"locals\": [], "));
    free(text);
}

static void a_threads_state_is_said(void **state)
{
    (void)state;
    static const struct {
        bool is_active, is_stopped, holds_gil, waits_for_gil;
        const char *text;
    } rows[] = {
        {false, false, false, false, "(idle)"},
        {true, false, false, false, "(active)"},
        {true, false, true, false, "(active+gil)"},
        {false, false, true, false, "(idle+gil)"},
        {false, true, false, true, "(stopped)"},
        {false, true, true, false, "(stopped+gil)"},
        {false, false, false, true, "(waiting for the GIL)"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dump_thread thread = {
            .id = 1,
            .is_active = rows[i].is_active,
            .is_stopped = rows[i].is_stopped,
            .holds_gil = rows[i].holds_gil,
            .waits_for_gil = rows[i].waits_for_gil,
        };
        char *text = print_thread(&thread, false), *json = print_thread(&thread, true);
        assert_non_null(strstr(text, rows[i].text));
        assert_non_null(strstr(json, rows[i].waits_for_gil ? "\"waits_for_gil\": true" : "\"waits_for_gil\": false"));
        free(text);
        free(json);
    }
}

static void native_frames_say_where_they_are(void **state)
{
    (void)state;
    struct dump_frame frames[] = {frame_of("read", 0), frame_of("read", 0), frame_of("step", 12), frame_of("f", 7)};
    frames[0].kind = FRAME_KERNEL;
    frames[0].filename = frames[0].short_filename = (struct dump_text)TEXT("");
    frames[1].kind = frames[2].kind = FRAME_NATIVE;
    frames[1].filename = (struct dump_text)TEXT("/lib/libc.so.6");
    frames[1].short_filename = (struct dump_text)TEXT("libc.so.6");
    frames[2].filename = (struct dump_text)TEXT("/src/fast.c");
    frames[2].short_filename = (struct dump_text)TEXT("src/fast.c");
    check_text(frames, 4, NULL,
               "Thread 2 (idle)\n    read (kernel)\n    read (libc.so.6)\n    step (src/fast.c:12)\n    f (a.py:7)\n");
    char *text = print(frames, 4, NULL, true);
    static const char *const expected[] = {
        "{\"name\": \"read\", \"filename\": \"\", \"module\": null, \"short_filename\": \"\", \"line\": 0,",
        "\"filename\": \"/lib/libc.so.6\", \"module\": \"/lib/libc.so.6\", \"short_filename\": \"libc.so.6\",",
        "\"filename\": \"/src/fast.c\", \"module\": null, \"short_filename\": \"src/fast.c\", \"line\": 12,",
        "\"kind\": \"kernel\"},",
        "\"kind\": \"native\"},",
        "\"kind\": \"python\"}]",
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (!strstr(text, expected[i]))
            assert_string_equal(text, expected[i]);
    }
    free(text);
}

static void what_a_thread_waits_for_comes_before_its_stack(void **state)
{
    (void)state;
    struct dump_frame frame = frame_of("f", 2);
    struct dump_thread thread = {.id = 1,
                                 .os_id = 2,
                                 .frames = &frame,
                                 .frame_count = 1,
                                 .unchanged = 3,
                                 .wait = {.kind = WAIT_SLEEP, .remaining_ns = 0}};
    char *text = print_thread(&thread, false), *json = print_thread(&thread, true);
    assert_string_equal(strstr(text, "Thread "), "Thread 2 (idle, unchanged for 3 readings)\n"
                                                 "    sleeps, 0.00 s remain\n"
                                                 "    f (a.py:2)\n");
    assert_non_null(strstr(json, "\"wait\": {\"kind\": \"sleep\""));
    assert_null(strstr(json, "unchanged"));
    free(text);
    free(json);
    thread.unchanged = 1;
    thread.wait = (struct dump_wait){0};
    text = print_thread(&thread, false);
    json = print_thread(&thread, true);
    assert_string_equal(strstr(text, "Thread "), "Thread 2 (idle, unchanged for 1 reading)\n    f (a.py:2)\n");
    assert_non_null(strstr(json, "\"wait\": null"));
    free(text);
    free(json);
}

/* Prints processes 2, 3 and 4, each below the one before, as one JSON. */
static char *print_all(bool is_line)
{
    struct dump_frame frame = frame_of("f\n", 2);
    struct dump_thread threads[] = {{.id = 1, .os_id = 2, .frames = &frame, .frame_count = 1, .unchanged = 4},
                                    {.id = 5, .os_id = 3}};
    const struct process_dump dumps[] = {
        {.pid = 2, .command_line = TEXT("a"), .threads = threads, .thread_count = 2},
        {.pid = 3, .parent = 2, .command_line = TEXT("b")},
        {.pid = 4, .parent = 3, .command_line = TEXT("c"), .threads = threads, .thread_count = 1},
    };
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_null(is_line ? dump_format_json_line(dumps, 3, 7, 1.5, out) : dump_format_json_of_all(dumps, 3, out));
    fclose(out);
    return text;
}

static void several_processes_are_one_list(void **state)
{
    (void)state;
    char *json = print_all(false);
    assert_non_null(strstr(json, "\"process_info\": {\"pid\": 2, \"command_line\": \"a\", \"parent\": null}},\n"));
    assert_non_null(strstr(json, "\"process_info\": {\"pid\": 4, \"command_line\": \"c\", \"parent\": {\"pid\": 3, "
                                 "\"command_line\": \"b\", \"parent\": {\"pid\": 2, \"command_line\": \"a\", "
                                 "\"parent\": null}}}}\n]\n"));
    free(json);
}

static void parents_that_are_each_other_end(void **state)
{
    (void)state;
    struct dump_thread thread = {.id = 1};
    const struct process_dump dumps[] = {{.pid = 2, .parent = 3, .threads = &thread, .thread_count = 1},
                                         {.pid = 3, .parent = 2}};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_null(dump_format_json_of_all(dumps, 2, out));
    fclose(out);
    assert_true(len < 2000);
    free(text);
}

static void one_of_several_readings_is_one_line(void **state)
{
    (void)state;
    static const char start[] = "{\"reading\": 7, \"time\": 1.500000, \"threads\": [";
    char *json = print_all(true);
    assert_memory_equal(json, start, sizeof(start) - 1);
    assert_ptr_equal(strchr(json, '\n'), json + strlen(json) - 1);
    assert_non_null(strstr(json, "\"unchanged\": 4"));
    assert_non_null(strstr(json, "f\\u000a"));
    free(json);
}

static void in_a_core_file_only_what_stands_out_is_said(void **state)
{
    (void)state;
    static const struct {
        int signal;
        bool holds_gil, waits_for_gil;
        const char *text, *json;
    } rows[] = {
        {0, false, false, "\nThread 2\n", "\"signal\": 0,"},
        {0, true, false, "\nThread 2 (gil)\n", "\"signal\": 0,"},
        {0, false, true, "\nThread 2 (waiting for the GIL)\n", "\"signal\": 0,"},
        {11, false, false, "\nThread 2 (signal SIGSEGV)\n", "\"signal\": 11,"},
        {6, true, false, "\nThread 2 (signal SIGABRT+gil)\n", "\"signal\": 6,"},
        {99, false, false, "\nThread 2 (signal 99)\n", "\"signal\": 99,"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dump_thread thread = {.id = 1,
                                     .os_id = 2,
                                     .signal = rows[i].signal,
                                     .holds_gil = rows[i].holds_gil,
                                     .waits_for_gil = rows[i].waits_for_gil};
        char *text = print_thread_of("/tmp/core", &thread, false);
        char *json = print_thread_of("/tmp/core", &thread, true);
        assert_ptr_equal(strstr(text, "Core file /tmp/core of process 2: python3\n"), text);
        assert_non_null(strstr(text, rows[i].text));
        assert_non_null(strstr(json, rows[i].json));
        free(text);
        free(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_shown_with_its_source),
        cmocka_unit_test(what_is_missing_of_a_stack_is_said),
        cmocka_unit_test(a_threads_state_is_said),
        cmocka_unit_test(in_a_core_file_only_what_stands_out_is_said),
        cmocka_unit_test(json_has_positions_where_they_are_known),
        cmocka_unit_test(native_frames_say_where_they_are),
        cmocka_unit_test(what_a_thread_waits_for_comes_before_its_stack),
        cmocka_unit_test(several_processes_are_one_list),
        cmocka_unit_test(parents_that_are_each_other_end),
        cmocka_unit_test(one_of_several_readings_is_one_line),
        cmocka_unit_test(variables_stand_under_their_frame),
        cmocka_unit_test(json_has_variables_if_they_were_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
