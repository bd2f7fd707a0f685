/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "recording_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The lines are what src/formats/JSON.md says: scripts depend on each name here. */

#define HEAD(lines)                                                                                                    \
    "{\"type\":\"head\",\"format\":\"pyspyc samples\",\"version\":1,\"program\":\"pyspyc " PYSPYC_VERSION              \
    "\",\"recorder\":null,\"command\":\"python app.py\",\"selection\":null,\"lines\":\"" lines                         \
    "\",\"interval_ns\":1000000,"                                                                                      \
    "\"duration_ns\":6000000,\"start_unix_us\":1700000000123456}\n"

#define MEMBERS                                                                                                        \
    "{\"type\":\"process\",\"id\":0,\"pid\":10,\"command_line\":\"app.py\",\"python_version\":null}\n"                 \
    "{\"type\":\"thread\",\"id\":0,\"process\":0,\"os_id\":10,\"python_id\":null,\"name\":\"MainThread\","             \
    "\"is_main\":true}\n"                                                                                              \
    "{\"type\":\"thread\",\"id\":1,\"process\":0,\"os_id\":11,\"python_id\":null,"                                     \
    "\"name\":\"\\\"w\\\"\\u003c\\u000a\",\"is_main\":false}\n"

static void each_line_is_an_object(void **state)
{
    (void)state;
    struct built_recording built = build_two_threads();
    cleanup_free char *text = write_built(&built, "json", &(struct format_options){0});
    assert_string_equal(
        text, HEAD("current") MEMBERS
        "{\"type\":\"frame\",\"id\":0,\"kind\":\"python\",\"name\":\"main\",\"file\":\"/app/a.py\","
        "\"short_file\":\"/app/a.py\",\"line\":101,\"first_line\":100}\n"
        "{\"type\":\"stack\",\"id\":0,\"parent\":null,\"frame\":0}\n"
        "{\"type\":\"frame\",\"id\":1,\"kind\":\"python\",\"name\":\"load\",\"file\":\"/app/a.py\","
        "\"short_file\":\"/app/a.py\",\"line\":205,\"first_line\":200}\n"
        "{\"type\":\"stack\",\"id\":1,\"parent\":0,\"frame\":1}\n"
        "{\"type\":\"sample\",\"time_ns\":500000,\"thread\":0,\"stack\":1,\"weight\":1,\"states\":[\"active\",\"gil\"]}"
        "\n"
        "{\"type\":\"frame\",\"id\":2,\"kind\":\"mark\",\"name\":\"\\u003cGC\\u003e\",\"file\":null,"
        "\"short_file\":null,\"line\":null,\"first_line\":null}\n"
        "{\"type\":\"stack\",\"id\":2,\"parent\":1,\"frame\":2}\n"
        "{\"type\":\"sample\",\"time_ns\":1200000,\"thread\":0,\"stack\":2,\"weight\":1,"
        "\"states\":[\"active\",\"gil\"]}\n"
        "{\"type\":\"frame\",\"id\":3,\"kind\":\"python\",\"name\":\"run\","
        "\"file\":\"/usr/lib/python3.11/threading.py\",\"short_file\":\"/usr/lib/python3.11/threading.py\","
        "\"line\":301,\"first_line\":300}\n"
        "{\"type\":\"stack\",\"id\":3,\"parent\":null,\"frame\":3}\n"
        "{\"type\":\"sample\",\"time_ns\":1500000,\"thread\":1,\"stack\":3,\"weight\":2,"
        "\"states\":[\"active\",\"gil_wait\"]}\n"
        "{\"type\":\"sample\",\"time_ns\":4700000,\"thread\":0,\"stack\":0,\"weight\":1,\"states\":[\"active\"]}\n"
        "{\"type\":\"sample\",\"time_ns\":4800000,\"thread\":1,\"stack\":3,\"weight\":1,\"states\":[]}\n"
        "{\"type\":\"end\",\"samples\":5,\"weight\":6,\"all_weight\":6,\"cpu_ns\":null,"
        "\"intervals\":{\"ok\":0,\"idle\":0,\"torn\":0,\"unreadable\":0,\"missed\":0},\"losses\":[]}\n");
    built_recording_deinit(&built);
}

/* Two lines of one function are one frame, and so one stack. */
static void frames_have_the_lines_that_are_asked_for(void **state)
{
    (void)state;
    static const char *const expected[] = {
        [PROFILE_FUNCTION_LINE] = "\"line\":100,\"first_line\":100}\n",
        [PROFILE_NO_LINE] = "\"line\":null,\"first_line\":null}\n",
    };
    for (enum profile_lines lines = PROFILE_FUNCTION_LINE; lines <= PROFILE_NO_LINE; lines++) {
        struct profile *profile = build_recorded_profile(10, 40);
        build_recorded_thread(profile, build_recorded_process(profile, 10, "app.py"), 10, "MainThread");
        const struct sample samples[] = {
            {.node = build_call(profile, PROFILE_ROOT, "f", "a.py", 101), .weight = 1},
            {.time_ns = 15, .node = build_call(profile, PROFILE_ROOT, "f", "a.py", 102), .weight = 1},
            {.time_ns = 25, .node = PROFILE_ROOT, .weight = 1},
        };
        struct built_recording built = build_recording(profile, samples, array_size(samples));
        cleanup_free char *text = write_built(&built, "json", &(struct format_options){.detail.lines = lines});
        assert_non_null(strstr(text, expected[lines]));
        assert_null(strstr(text, "{\"type\":\"frame\",\"id\":1"));
        assert_non_null(strstr(text, "\"time_ns\":0,\"thread\":0,\"stack\":0,"));
        assert_non_null(strstr(text, "\"time_ns\":15,\"thread\":0,\"stack\":0,"));
        assert_non_null(strstr(text, "\"time_ns\":25,\"thread\":0,\"stack\":null,"));
        built_recording_deinit(&built);
    }
}

static void frames_say_of_what_kind_they_are(void **state)
{
    (void)state;
    struct built_recording built = build_native_calls();
    cleanup_free char *text = write_built(&built, "json", &(struct format_options){0});
    static const char *const frames[] = {
        "\"id\":0,\"kind\":\"python\",\"name\":\"load\"",
        "\"id\":1,\"kind\":\"native\",\"name\":\"read\",\"file\":\"/usr/lib/libc.so.6\",\"short_file\":\"libc.so.6\","
        "\"line\":null,\"first_line\":null}",
        "\"id\":2,\"kind\":\"kernel\",\"name\":\"read\",\"file\":null,\"short_file\":null,\"line\":null,"
        "\"first_line\":null}",
        "\"id\":3,\"kind\":\"native\",\"name\":\"step\",\"file\":\"/src/fast.c\",\"short_file\":\"/src/fast.c\","
        "\"line\":12,\"first_line\":null}",
    };
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        if (!strstr(text, frames[i]))
            assert_string_equal(text, frames[i]);
    }
    built_recording_deinit(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_an_object),
        cmocka_unit_test(frames_have_the_lines_that_are_asked_for),
        cmocka_unit_test(frames_say_of_what_kind_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
