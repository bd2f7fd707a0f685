/* SPDX-License-Identifier: MIT */
#include "formats/timeline.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "recording_builder.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { INTERVAL = 10 };

static struct error *tell(void *context, const struct tile *tile)
{
    buffer_format(context, "%u:%" PRIu64 "-%" PRIu64 "*%u ", tile->thread, tile->start_ns, tile->end_ns, tile->weight);
    return NULL;
}

/* Compares the tiles of samples of some threads, all with the same stack. */
static void check_tiles(const struct sample *samples, uint32_t count, const char *expected)
{
    struct profile *profile = build_recorded_profile(INTERVAL, 100);
    uint32_t process = build_recorded_process(profile, 1, "app.py");
    build_recorded_thread(profile, process, 1, "MainThread");
    build_recorded_thread(profile, process, 2, "other");
    struct built_recording built = build_recording(profile, samples, count);
    cleanup_timeline struct timeline timeline = {0};
    cleanup_buffer struct buffer told = {0};
    assert_null(timeline_init(&timeline, built.view, PROFILE_CURRENT_LINE));
    for (int i = 0; i < 2; i++) {
        buffer_clear(&told);
        assert_null(timeline_each_tile(&timeline, tell, &told));
        assert_string_equal(buffer_text(&told), expected);
    }
    built_recording_deinit(&built);
}

static void a_tile_ends_with_the_interval_of_its_sample(void **state)
{
    (void)state;
    const struct sample samples[] = {
        {.time_ns = 20, .weight = 1}, {.time_ns = 39, .weight = 1}, {.time_ns = 75, .weight = 3}};
    check_tiles(samples, array_size(samples), "0:20-30*1 0:30-40*1 0:50-80*3 ");
}

static void no_tile_begins_before_the_recording(void **state)
{
    (void)state;
    const struct sample samples[] = {{.time_ns = 15, .weight = 5}, {.time_ns = 99, .weight = UINT32_MAX}};
    check_tiles(samples, 1, "0:0-20*5 ");
    check_tiles(samples + 1, 1, "0:0-100*4294967295 ");
}

static void tiles_of_one_thread_do_not_overlap(void **state)
{
    (void)state;
    const struct sample samples[] = {
        {.time_ns = 25, .weight = 1}, {.time_ns = 45, .weight = 4}, {.time_ns = 47, .weight = 1},
        {.time_ns = 11, .weight = 1}, {.time_ns = 50, .weight = 1}, {.time_ns = 60, .weight = 0},
    };
    check_tiles(samples, array_size(samples), "0:10-20*1 0:20-30*1 0:30-50*4 0:50-50*1 0:50-60*1 0:60-60*0 ");
}

static void threads_have_tiles_of_their_own(void **state)
{
    (void)state;
    const struct sample samples[] = {
        {.time_ns = 25, .weight = 3}, {.time_ns = 15, .thread = 1, .weight = 2}, {.time_ns = 35, .weight = 1}};
    check_tiles(samples, array_size(samples), "1:0-20*2 0:0-30*3 0:30-40*1 ");
}

static void samples_that_come_late_get_their_place(void **state)
{
    (void)state;
    const struct sample samples[] = {
        {.time_ns = 35, .weight = 1}, {.time_ns = 29, .weight = 2},  {.time_ns = 125, .weight = 1},
        {.time_ns = 45, .weight = 1}, {.time_ns = 225, .weight = 1}, {.time_ns = 55, .weight = 2},
    };
    check_tiles(samples, array_size(samples), "0:10-30*2 0:30-40*1 0:40-50*1 0:120-130*1 0:130-130*2 0:220-230*1 ");
}

static void what_is_no_time_does_no_harm(void **state)
{
    (void)state;
    const struct sample samples[] = {{.time_ns = UINT64_MAX, .weight = 1}, {.time_ns = 5, .weight = 1}};
    check_tiles(samples, array_size(samples), "0:0-0*1 0:0-10*1 ");
}

static void threads_are_in_order_of_their_samples_behind_the_main_one(void **state)
{
    (void)state;
    struct profile *profile = build_recorded_profile(INTERVAL, 100);
    uint32_t process = build_recorded_process(profile, 1, "app.py");
    const int64_t ids[] = {2, 3, 1, 4, 5};
    for (size_t i = 0; i < array_size(ids); i++)
        build_recorded_thread(profile, process, ids[i], "t");
    const struct sample samples[] = {{.time_ns = 25, .thread = 0, .weight = 2},
                                     {.time_ns = 25, .thread = 2, .weight = 1},
                                     {.time_ns = 95, .thread = 3, .weight = 9},
                                     {.time_ns = 115, .thread = 4, .weight = 2}};
    struct built_recording built = build_recording(profile, samples, array_size(samples));
    cleanup_timeline struct timeline timeline = {0};
    assert_null(timeline_init(&timeline, built.view, PROFILE_CURRENT_LINE));
    const uint32_t order[] = {2, 3, 0, 4};
    assert_int_equal(timeline.order_count, array_size(order));
    assert_memory_equal(timeline.order, order, sizeof(order));
    assert_int_equal(timeline.end_ns, 120);
    built_recording_deinit(&built);
}

static void who_has_no_number_gets_one_that_nobody_has(void **state)
{
    (void)state;
    struct profile *profile = build_recorded_profile(INTERVAL, 100);
    uint32_t process = build_recorded_process(profile, 0, "app.py");
    build_recorded_thread(profile, process, 7, "t");
    build_recorded_thread(profile, process, 0, "t");
    struct built_recording built = build_recording(profile, NULL, 0);
    cleanup_timeline struct timeline timeline = {0};
    assert_null(timeline_init(&timeline, built.view, PROFILE_CURRENT_LINE));
    assert_true(timeline_pid(&timeline, 0) > 1 << 22);
    assert_int_equal(timeline_tid(&timeline, 0), 7);
    assert_true(timeline_tid(&timeline, 1) > 1 << 22);
    built_recording_deinit(&built);
}

static void groups_are_named_where_they_have_samples(void **state)
{
    (void)state;
    struct built_recording built = build_two_threads();
    cleanup_timeline struct timeline timeline = {0};
    cleanup_free uint32_t *threads = NULL;
    cleanup_free uint32_t *processes = NULL;
    size_t len;
    assert_null(timeline_init(&timeline, built.view, PROFILE_CURRENT_LINE));
    assert_null(timeline_group_frames(&timeline, &threads, &processes));
    const struct profile *profile = view_profile(built.view);
    assert_string_equal(profile_string(profile, profile_frame(profile, threads[0])->name, &len),
                        "thread (10): MainThread");
    assert_string_equal(profile_string(profile, profile_frame(profile, processes[0])->name, &len),
                        "process 10: app.py");
    built_recording_deinit(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tile_ends_with_the_interval_of_its_sample),
        cmocka_unit_test(no_tile_begins_before_the_recording),
        cmocka_unit_test(tiles_of_one_thread_do_not_overlap),
        cmocka_unit_test(threads_have_tiles_of_their_own),
        cmocka_unit_test(samples_that_come_late_get_their_place),
        cmocka_unit_test(what_is_no_time_does_no_harm),
        cmocka_unit_test(threads_are_in_order_of_their_samples_behind_the_main_one),
        cmocka_unit_test(who_has_no_number_gets_one_that_nobody_has),
        cmocka_unit_test(groups_are_named_where_they_have_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
