/* SPDX-License-Identifier: MIT */
#include "profile/growth.h"

#include "base/cleanup.h"
#include "profile/diff.h"
#include "profile_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Samples of `main` itself, and of functions that it calls. */
struct run {
    uint64_t self, parse, draw, save;
};

static struct profile *build(struct run run)
{
    struct profile *profile = NULL;
    assert_null(profile_create("app", "python app.py", &profile));
    profile_info(profile)->interval_ns = 10000000;
    uint32_t root = build_child(profile, PROFILE_ROOT, build_frame(profile, "main", "app.py", 30), run.self);
    build_child(profile, root, build_frame(profile, "parse", "app.py", 3), run.parse);
    build_child(profile, root, build_frame(profile, "draw", "app.py", 9), run.draw);
    build_child(profile, root, build_frame(profile, "save", "app.py", 20), run.save);
    return profile;
}

static struct diff *compare(struct run before, struct run after)
{
    cleanup_profile struct profile *one = build(before), *two = build(after);
    const struct diff_source sources[] = {{one, 1}, {two, 1}};
    const struct diff_options options = {.measure = DIFF_SHARES};
    struct diff *diff = NULL;
    assert_null(diff_create(&sources[0], &sources[1], &options, &diff));
    return diff;
}

static void assert_grown(const struct diff *diff, enum growth_kind kind, double points, const char *const *names,
                         uint32_t count)
{
    size_t len;
    uint32_t found = 0;
    cleanup_free uint32_t *frames = NULL;
    assert_null(growth_find(diff, kind, points, &frames, &found));
    assert_non_null(frames);
    assert_int_equal(found, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_frame *frame = profile_frame(diff->after.profile, frames[i]);
        assert_string_equal(profile_string(diff->after.profile, frame->name, &len), names[i]);
    }
}

static void what_grew_is_found_the_most_first(void **state)
{
    (void)state;
    cleanup_diff struct diff *diff =
        compare((struct run){.self = 5000, .parse = 2000, .draw = 3000}, (struct run){.parse = 3000, .draw = 7000});
    assert_grown(diff, GROWTH_SELF, 0, (const char *const[]){"draw", "parse"}, 2);
    assert_grown(diff, GROWTH_SELF, 9.9, (const char *const[]){"draw", "parse"}, 2);
    assert_grown(diff, GROWTH_SELF, 10, (const char *const[]){"draw"}, 1);
    assert_grown(diff, GROWTH_SELF, 40, NULL, 0);
}

static void what_is_new_grew_and_what_fell_did_not(void **state)
{
    (void)state;
    cleanup_diff struct diff *diff =
        compare((struct run){.parse = 2000, .draw = 8000}, (struct run){.parse = 2000, .draw = 7000, .save = 1000});
    assert_grown(diff, GROWTH_SELF, 5, (const char *const[]){"save"}, 1);
}

static void callers_grow_with_what_they_call(void **state)
{
    (void)state;
    cleanup_profile struct profile *one = build((struct run){.parse = 1000}), *two = build((struct run){.parse = 1000});
    build_child(one, PROFILE_ROOT, build_frame(one, "rest", "app.py", 50), 9000);
    build_child(two, PROFILE_ROOT, build_frame(two, "rest", "app.py", 50), 1000);
    const struct diff_source sources[] = {{one, 1}, {two, 1}};
    const struct diff_options options = {.measure = DIFF_SHARES};
    cleanup_diff struct diff *diff = NULL;
    assert_null(diff_create(&sources[0], &sources[1], &options, &diff));
    assert_grown(diff, GROWTH_SELF, 5, (const char *const[]){"parse"}, 1);
    uint32_t found = 0;
    cleanup_free uint32_t *frames = NULL;
    assert_null(growth_find(diff, GROWTH_TOTAL, 5, &frames, &found));
    assert_int_equal(found, 2);
    assert_int_equal(growth_amount(diff, GROWTH_TOTAL, frames[0])->after, 1000);
}

static void chance_is_no_growth(void **state)
{
    (void)state;
    /* 10 points more, of 20 samples: three errors are 27 points. */
    cleanup_diff struct diff *diff =
        compare((struct run){.parse = 4, .draw = 16}, (struct run){.parse = 6, .draw = 14});
    assert_grown(diff, GROWTH_SELF, 0, NULL, 0);
    cleanup_diff struct diff *more =
        compare((struct run){.parse = 4000, .draw = 16000}, (struct run){.parse = 6000, .draw = 14000});
    assert_grown(more, GROWTH_SELF, 0, (const char *const[]){"parse"}, 1);
}

static void nothing_grows_from_nothing(void **state)
{
    (void)state;
    cleanup_diff struct diff *diff = compare((struct run){0}, (struct run){.parse = 1000});
    assert_grown(diff, GROWTH_SELF, 0, NULL, 0);
    assert_grown(diff, GROWTH_TOTAL, 0, NULL, 0);
    assert_true(growth_least(diff, 10) > 89.9);
}

static void the_least_growth_follows_from_the_samples(void **state)
{
    (void)state;
    static const uint64_t counts[] = {400, 10000, 1000000};
    for (size_t i = 0; i < array_size(counts); i++) {
        double samples = (double)counts[i];
        cleanup_diff struct diff *diff = compare((struct run){.draw = counts[i]}, (struct run){.draw = counts[i]});
        double least = growth_least(diff, 10);
        /* Three errors of a share between the two, and half a look on each side. */
        double share = (10 + least / 2) / 100;
        double expected = 300 * sqrt(share * (1 - share) * 2 / samples) + 100 / samples;
        assert_true(fabs(least - expected) < 0.02 + 200 / samples);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_grew_is_found_the_most_first),
        cmocka_unit_test(what_is_new_grew_and_what_fell_did_not),
        cmocka_unit_test(callers_grow_with_what_they_call),
        cmocka_unit_test(chance_is_no_growth),
        cmocka_unit_test(nothing_grows_from_nothing),
        cmocka_unit_test(the_least_growth_follows_from_the_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
