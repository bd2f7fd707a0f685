/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "recording_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Compares the begins and ends, as "B 10 0.5 name", one a line. */
static void check_events(const struct built_recording *built, const char *expected)
{
    cleanup_free char *text = write_built(built, "chrometrace", &(struct format_options){0});
    cleanup_buffer struct buffer events = {0};
    assert_memory_equal(text, "[\n", 2);
    assert_string_equal(text + strlen(text) - 3, "\n]\n");
    char *rest = text;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char phase, name[100];
        long pid, tid;
        double time;
        if (sscanf(line, "{\"ph\":\"%c\",\"pid\":%ld,\"tid\":%ld,\"ts\":%lf,\"name\":\"%99[^\"]\"}", &phase, &pid, &tid,
                   &time, name) == 5)
            buffer_format(&events, "%c %ld %.3f %s\n", phase, tid, time, name);
    }
    assert_string_equal(buffer_text(&events), expected);
}

static void what_two_samples_have_in_common_stays_open(void **state)
{
    (void)state;
    struct built_recording built = build_two_threads();
    check_events(&built, "B 10 0.000 main (/app/a.py:101)\n"
                         "B 10 0.000 load (/app/a.py:205)\n"
                         "B 10 1000.000 \\u003cGC\\u003e\n"
                         "B 11 0.000 run (/usr/lib/python3.11/threading.py:301)\n"
                         "E 10 2000.000 \\u003cGC\\u003e\n"
                         "E 10 2000.000 load (/app/a.py:205)\n"
                         "E 10 2000.000 main (/app/a.py:101)\n"
                         "B 10 4000.000 main (/app/a.py:101)\n"
                         "E 11 2000.000 run (/usr/lib/python3.11/threading.py:301)\n"
                         "B 11 4000.000 run (/usr/lib/python3.11/threading.py:301)\n"
                         "E 10 5000.000 main (/app/a.py:101)\n"
                         "E 11 5000.000 run (/usr/lib/python3.11/threading.py:301)\n");
    built_recording_deinit(&built);
}

static void who_is_who_is_told_first(void **state)
{
    (void)state;
    struct built_recording built = build_two_threads();
    cleanup_free char *text = write_built(&built, "chrometrace", &(struct format_options){0});
    const char *expected =
        "[\n"
        "{\"ph\":\"M\",\"pid\":10,\"tid\":10,\"name\":\"pyspyc\",\"args\":{\"intervals\":{\"ok\":0,\"idle\":0,"
        "\"torn\":0,\"unreadable\":0,\"missed\":0},\"losses\":[]}},\n"
        "{\"ph\":\"M\",\"pid\":10,\"tid\":10,\"name\":\"process_name\",\"args\":{\"name\":\"app.py\"}},\n"
        "{\"ph\":\"M\",\"pid\":10,\"tid\":10,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":0}},\n"
        "{\"ph\":\"M\",\"pid\":10,\"tid\":10,\"name\":\"thread_name\",\"args\":{\"name\":\"MainThread\"}},\n"
        "{\"ph\":\"M\",\"pid\":10,\"tid\":10,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":0}},\n"
        "{\"ph\":\"M\",\"pid\":10,\"tid\":11,\"name\":\"thread_name\","
        "\"args\":{\"name\":\"\\\"w\\\"\\u003c\\u000a\"}},\n"
        "{\"ph\":\"M\",\"pid\":10,\"tid\":11,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":2}},\n"
        "{\"ph\":\"B\"";
    assert_memory_equal(text, expected, strlen(expected));
    built_recording_deinit(&built);
}

/* A reader that sorts by time alone must not take the begin of f for one inside the f that ends. */
static void a_frame_begins_after_one_that_ends(void **state)
{
    (void)state;
    struct profile *profile = build_recorded_profile(1000, 3000);
    build_recorded_thread(profile, build_recorded_process(profile, 10, "app.py"), 10, "MainThread");
    uint32_t f = build_call(profile, PROFILE_ROOT, "f", "a.py", 1);
    uint32_t g = build_call(profile, PROFILE_ROOT, "g", "a.py", 1);
    const struct sample samples[] = {
        {.time_ns = 1, .node = build_call(profile, g, "f", "a.py", 1), .weight = 1},
        {.time_ns = 1001, .node = build_call(profile, f, "g", "a.py", 1), .weight = 1},
        {.time_ns = 2001, .node = f, .weight = 1},
    };
    struct built_recording built = build_recording(profile, samples, array_size(samples));
    check_events(&built, "B 10 0.000 g (a.py:1)\n"
                         "B 10 0.000 f (a.py:1)\n"
                         "E 10 1.000 f (a.py:1)\n"
                         "E 10 1.000 g (a.py:1)\n"
                         "B 10 1.001 f (a.py:1)\n"
                         "B 10 1.001 g (a.py:1)\n"
                         "E 10 2.000 g (a.py:1)\n"
                         "E 10 3.000 f (a.py:1)\n");
    built_recording_deinit(&built);
}

/* A later thread can get the number of one that has ended: the earlier one's frames end first. */
static void threads_of_one_number_follow_each_other(void **state)
{
    (void)state;
    struct profile *profile = build_recorded_profile(1000, 9000);
    uint32_t process = build_recorded_process(profile, 10, "app.py");
    build_recorded_thread(profile, process, 11, "first");
    build_recorded_thread(profile, process, 11, "second");
    uint32_t f = build_call(profile, PROFILE_ROOT, "f", "a.py", 1);
    const struct sample samples[] = {
        {.time_ns = 1000, .thread = 0, .node = f, .weight = 1},
        {.time_ns = 3000, .thread = 1, .node = f, .weight = 3},
        {.time_ns = 2000, .thread = 0, .node = f, .weight = 1},
    };
    struct built_recording built = build_recording(profile, samples, array_size(samples));
    check_events(&built, "B 11 1.000 f (a.py:1)\n"
                         "E 11 4.000 f (a.py:1)\n");
    built_recording_deinit(&built);
}

static void names_cannot_break_out(void **state)
{
    (void)state;
    struct profile *profile = build_recorded_profile(1000, 1000);
    build_recorded_thread(profile, build_recorded_process(profile, 10, "app.py"), 10, "MainThread");
    uint32_t node = build_call(profile, PROFILE_ROOT, "\"},\n{\"ph\":\"E\"", "", 0);
    struct built_recording built = build_recording(profile, &(struct sample){.node = node, .weight = 1}, 1);
    cleanup_free char *text = write_built(&built, "chrometrace", &(struct format_options){0});
    assert_non_null(strstr(text, "\"ts\":0,\"name\":\"\\\"},\\u000a{\\\"ph\\\":\\\"E\\\"\"}"));
    built_recording_deinit(&built);
}

static void native_frames_are_labelled(void **state)
{
    (void)state;
    struct built_recording built = build_native_calls();
    check_events(&built, "B 10 0.000 load (/app/a.py:101)\n"
                         "B 10 0.000 read (libc.so.6)\n"
                         "B 10 0.000 read (kernel)\n"
                         "E 10 1000.000 read (kernel)\n"
                         "E 10 1000.000 read (libc.so.6)\n"
                         "B 10 1000.001 step (/src/fast.c:12)\n"
                         "E 10 2000.000 step (/src/fast.c:12)\n"
                         "B 10 2000.001 step (/src/fast.c:14)\n"
                         "E 10 3000.000 step (/src/fast.c:14)\n"
                         "B 10 3000.001 solve (/lib/libsolve.so)\n"
                         "E 10 4000.000 solve (/lib/libsolve.so)\n"
                         "E 10 4000.000 load (/app/a.py:101)\n");
    built_recording_deinit(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_two_samples_have_in_common_stays_open), cmocka_unit_test(who_is_who_is_told_first),
        cmocka_unit_test(a_frame_begins_after_one_that_ends),         cmocka_unit_test(native_frames_are_labelled),
        cmocka_unit_test(threads_of_one_number_follow_each_other),    cmocka_unit_test(names_cannot_break_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
