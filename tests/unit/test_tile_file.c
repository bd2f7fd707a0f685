/* SPDX-License-Identifier: MIT */
#include "formats/tile_file.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "recording_builder.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { THREADS = 3, ROUNDS = 5000 }; /* more tiles of a thread than are written, or read, at once */

static struct error *tell(void *context, const struct tile *tile)
{
    buffer_format(context, "%" PRIu64 "-%" PRIu64 ":%u ", tile->start_ns, tile->end_ns, tile->node);
    return NULL;
}

/* What a round over one thread should come to. */
struct expected {
    uint32_t thread;
    uint64_t count;
};

static struct error *check_tile(void *context, const struct tile *tile)
{
    struct expected *expected = context;
    assert_int_equal(tile->thread, expected->thread);
    assert_int_equal(tile->start_ns, expected->count * 10 * (expected->thread + 1));
    assert_int_equal(tile->end_ns, tile->start_ns + 10);
    expected->count++;
    return NULL;
}

static void tiles_are_sorted_by_thread(void **state)
{
    (void)state;
    struct profile *profile = build_recorded_profile(10, 0);
    uint32_t process = build_recorded_process(profile, 1, "app.py");
    for (uint32_t i = 0; i < THREADS; i++)
        build_recorded_thread(profile, process, i + 1, "t");
    cleanup_free struct sample *samples = calloc((size_t)THREADS * ROUNDS, sizeof(*samples));
    uint32_t count = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < THREADS; i += 2)
            samples[count++] = (struct sample){.time_ns = (i + 1) * 10 * (uint64_t)round, .thread = i, .weight = 1};
    }
    struct built_recording built = build_recording(profile, samples, count);
    cleanup_timeline struct timeline timeline = {0};
    cleanup_tile_file struct tile_file tiles = {0};
    assert_null(timeline_init(&timeline, built.view, PROFILE_CURRENT_LINE));
    assert_null(tile_file_init(&tiles, &timeline));
    for (uint32_t i = 0; i < THREADS; i++) {
        struct expected expected = {.thread = i};
        assert_null(tile_file_each(&tiles, i, check_tile, &expected));
        assert_int_equal(expected.count, i == 1 ? 0 : ROUNDS);
    }
    built_recording_deinit(&built);
}

static void check_spans(const struct tile_file *tiles, uint32_t thread, const char *expected)
{
    cleanup_buffer struct buffer told = {0};
    assert_null(tile_file_each_span(tiles, thread, 100, tell, &told));
    assert_string_equal(buffer_text(&told), expected);
}

static void spans_cover_all_the_time(void **state)
{
    (void)state;
    struct profile *profile = build_recorded_profile(10, 100);
    uint32_t process = build_recorded_process(profile, 1, "app.py");
    for (int i = 1; i <= 3; i++)
        build_recorded_thread(profile, process, i, "t");
    uint32_t f = build_call(profile, PROFILE_ROOT, "f", "a.py", 1);
    uint32_t g = build_call(profile, PROFILE_ROOT, "g", "a.py", 1);
    const struct sample samples[] = {
        {.time_ns = 35, .node = f, .weight = 2}, {.time_ns = 45, .node = f, .weight = 1},
        {.time_ns = 45, .node = g, .weight = 1}, {.time_ns = 65, .node = g, .weight = 2},
        {.time_ns = 85, .node = g, .weight = 1}, {.time_ns = 95, .thread = 1, .node = g, .weight = 10},
    };
    struct built_recording built = build_recording(profile, samples, array_size(samples));
    cleanup_timeline struct timeline timeline = {0};
    cleanup_tile_file struct tile_file tiles = {0};
    assert_null(timeline_init(&timeline, built.view, PROFILE_CURRENT_LINE));
    assert_null(tile_file_init(&tiles, &timeline));
    check_spans(&tiles, 0, "0-20:0 20-50:1 50-70:2 70-80:0 80-90:2 90-100:0 ");
    check_spans(&tiles, 1, "0-100:2 ");
    check_spans(&tiles, 2, "0-100:0 ");
    built_recording_deinit(&built);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_are_sorted_by_thread),
        cmocka_unit_test(spans_cover_all_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
