/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "recording_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* That the whole file is what speedscope takes, tests/integration/test_timeline_formats.py asks its schema. */

static void check(const struct built_recording *built, const struct format_options *options, const char *expected)
{
    cleanup_free char *text = write_built(built, "speedscope", options);
    const char *found = strstr(text, "\"shared\"");
    assert_non_null(found);
    assert_string_equal(found, expected);
}

#define PROFILE "{\"type\":\"sampled\",\"unit\":\"nanoseconds\",\"name\":"
#define LENGTH  ",\"startValue\":0,\"endValue\":"
#define THREADS                                                                                                        \
    PROFILE "\"thread (10): MainThread\"" LENGTH "6000000,\n"                                                          \
            "\"samples\":[[0,1],[0,1,2],[],[0],[]],\n"                                                                 \
            "\"weights\":[1000000,1000000,2000000,1000000,1000000]},\n" PROFILE                                        \
            "\"thread (11): \\\"w\\\"\\u003c\\u000a\"" LENGTH "6000000,\n"                                             \
            "\"samples\":[[3],[],[3],[]],\n"                                                                           \
            "\"weights\":[2000000,2000000,1000000,1000000]}\n"                                                         \
            "]}\n"

static void threads_share_the_time_axis(void **state)
{
    (void)state;
    struct built_recording built = build_two_threads();
    check(&built, &(struct format_options){.full_filenames = true},
          "\"shared\":{\"frames\":[\n"
          "{\"name\":\"main\",\"file\":\"/app/a.py\",\"line\":101},\n"
          "{\"name\":\"load\",\"file\":\"/app/a.py\",\"line\":205},\n"
          "{\"name\":\"\\u003cGC\\u003e\"},\n"
          "{\"name\":\"run\",\"file\":\"/usr/lib/python3.11/threading.py\",\"line\":301}\n"
          "]},\n"
          "\"profiles\":[\n" PROFILE "\"All threads\"" LENGTH "6000000,\n"
          "\"samples\":[[0,1],[0,1,2],[3],[0],[3]],\n"
          "\"weights\":[1000000,1000000,2000000,1000000,1000000]},\n" THREADS);
    built_recording_deinit(&built);
}

static void all_threads_have_the_roots_that_are_asked_for(void **state)
{
    (void)state;
    struct built_recording built = build_two_threads();
    const struct format_options options = {
        .detail = {.lines = PROFILE_NO_LINE, .with_threads = true, .with_processes = true}};
    check(&built, &options,
          "\"shared\":{\"frames\":[\n"
          "{\"name\":\"main\",\"file\":\"/app/a.py\"},\n"
          "{\"name\":\"load\",\"file\":\"/app/a.py\"},\n"
          "{\"name\":\"\\u003cGC\\u003e\"},\n"
          "{\"name\":\"run\",\"file\":\"/usr/lib/python3.11/threading.py\"},\n"
          "{\"name\":\"process 10: app.py\"},\n"
          "{\"name\":\"thread (10): MainThread\"},\n"
          "{\"name\":\"thread (11): \\\"w\\\"\\u003c\\u000a\"}\n"
          "]},\n"
          "\"profiles\":[\n" PROFILE "\"All threads\"" LENGTH "6000000,\n"
          "\"samples\":[[4,5,0,1],[4,5,0,1,2],[4,6,3],[4,5,0],[4,6,3]],\n"
          "\"weights\":[1000000,1000000,2000000,1000000,1000000]},\n" THREADS);
    built_recording_deinit(&built);
}

/* Two samples in one interval: the axis has room for one, the sum has both. */
static void true_weights_are_in_all_threads(void **state)
{
    (void)state;
    struct profile *profile = build_recorded_profile(10, 40);
    build_recorded_thread(profile, build_recorded_process(profile, 10, "app.py"), 10, "MainThread");
    uint32_t f = build_call(profile, PROFILE_ROOT, "f", "a.py", 1);
    uint32_t g = build_call(profile, PROFILE_ROOT, "g", "a.py", 2);
    const struct sample samples[] = {{.time_ns = 12, .node = f, .weight = 1},
                                     {.time_ns = 15, .node = g, .weight = 1},
                                     {.time_ns = 25, .node = g, .weight = 1}};
    struct built_recording built = build_recording(profile, samples, array_size(samples));
    check(&built, &(struct format_options){0},
          "\"shared\":{\"frames\":[\n"
          "{\"name\":\"f\",\"file\":\"a.py\",\"line\":1},\n"
          "{\"name\":\"g\",\"file\":\"a.py\",\"line\":2}\n"
          "]},\n"
          "\"profiles\":[\n" PROFILE "\"All threads\"" LENGTH "30,\n"
          "\"samples\":[[0],[1]],\n"
          "\"weights\":[10,20]},\n" PROFILE "\"thread (10): MainThread\"" LENGTH "40,\n"
          "\"samples\":[[],[0],[1],[]],\n"
          "\"weights\":[10,10,10,10]}\n]}\n");
    built_recording_deinit(&built);
}

static void a_recording_without_samples_has_an_empty_profile(void **state)
{
    (void)state;
    struct built_recording built = build_recording(build_recorded_profile(10, 40), NULL, 0);
    check(&built, &(struct format_options){0},
          "\"shared\":{\"frames\":[\n\n]},\n\"profiles\":[\n" PROFILE "\"All threads\"" LENGTH "0,\n"
          "\"samples\":[],\n\"weights\":[]}\n]}\n");
    built_recording_deinit(&built);
}

static void native_frames_have_files(void **state)
{
    (void)state;
    struct built_recording built = build_native_calls();
    cleanup_free char *text = write_built(&built, "speedscope", &(struct format_options){0});
    assert_non_null(strstr(text, "\"shared\":{\"frames\":[\n"
                                 "{\"name\":\"load\",\"file\":\"/app/a.py\",\"line\":101},\n"
                                 "{\"name\":\"read\",\"file\":\"libc.so.6\"},\n"
                                 "{\"name\":\"read\",\"file\":\"kernel\"},\n"
                                 "{\"name\":\"step\",\"file\":\"/src/fast.c\",\"line\":12},\n"
                                 "{\"name\":\"step\",\"file\":\"/src/fast.c\",\"line\":14},\n"
                                 "{\"name\":\"solve\",\"file\":\"/lib/libsolve.so\"}\n"));
    built_recording_deinit(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_the_time_axis),
        cmocka_unit_test(all_threads_have_the_roots_that_are_asked_for),
        cmocka_unit_test(true_weights_are_in_all_threads),
        cmocka_unit_test(native_frames_have_files),
        cmocka_unit_test(a_recording_without_samples_has_an_empty_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
