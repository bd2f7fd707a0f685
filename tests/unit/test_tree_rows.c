/* SPDX-License-Identifier: MIT */
#include "formats/tree_rows.h"

#include "base/cleanup.h"
#include "formats/formats.h"
#include "formats/functions.h"
#include "formats/tree_options.h"
#include "profile/members.h"
#include "profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { NODE_COUNT = 3000, ROUND_COUNT = 60 };

/* Knuth's constants for a linear congruential generator: the same trees in every run. */
static uint32_t next_random(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*state >> 33) % below;
}

static uint32_t random_frame(struct profile *profile, uint64_t *random)
{
    static const char *const names[] = {"f", "g", "f.<locals>.<listcomp>", "<module>", "_find_and_load", "run"};
    static const char *const files[] = {
        "/src/a.py",
        "/src/b.py",
        "<frozen importlib._bootstrap>",
        "<frozen importlib._bootstrap>",
        "/lib/site-packages/web/__init__.py",
        "/lib/site-packages/web/serve.py",
        "/lib/site-packages/json/__init__.py",
        "/usr/lib/python3.11/threading.py",
        "<string>",
        "<made by a library>",
    };
    const char *name = names[next_random(random, sizeof(names) / sizeof(names[0]))];
    const char *file = files[next_random(random, sizeof(files) / sizeof(files[0]))];
    const struct profile_frame frame = {
        .kind = next_random(random, 40) == 0 ? FRAME_MARK : FRAME_PYTHON,
        .name = profile_intern(profile, name, strlen(name)),
        .file = profile_intern(profile, file, strlen(file)),
        .line = 1 + (int32_t)next_random(random, 3),
        .first_line = 1,
    };
    return profile_intern_frame(profile, &frame);
}

static struct profile *random_profile(uint64_t *random)
{
    struct profile *profile;
    assert_null(profile_create("app", "app", &profile));
    uint32_t nodes[NODE_COUNT] = {PROFILE_ROOT};
    uint32_t thread_count = next_random(random, 3);
    for (uint32_t i = 0; i < thread_count; i++) {
        const struct profile_frame thread = {
            .kind = FRAME_THREAD, .name = profile_intern(profile, "T", 1), .file = PROFILE_NONE, .member = i};
        nodes[i + 1] = profile_child(profile, PROFILE_ROOT, profile_intern_frame(profile, &thread));
    }
    /* Mostly on from what was made last, so that stacks get deep. */
    for (uint32_t i = thread_count + 1; i < NODE_COUNT; i++) {
        uint32_t parent =
            next_random(random, 4) > 0 ? i - 1 - next_random(random, i < 4 ? i : 4) : next_random(random, i);
        nodes[i] = profile_child(profile, nodes[parent], random_frame(profile, random));
        profile_count(profile, nodes[i], next_random(random, 5));
    }
    return profile;
}

static uint64_t count_samples(const struct profile *profile)
{
    uint32_t count;
    uint64_t samples = 0;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    for (uint32_t i = 0; i < count; i++)
        samples += nodes[i].self;
    return samples;
}

/* Whatever is folded: a row has its own time and that of the rows below it, and no sample is lost or there twice. */
static void assert_sums(const struct tree_rows *rows, uint64_t samples)
{
    uint64_t selves = 0;
    assert_int_equal(rows->rows[0].total, samples);
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct tree_row *row = &rows->rows[i];
        uint64_t sum = row->self;
        selves += row->self;
        for (uint32_t j = 0; j < row->child_count; j++) {
            const struct tree_row *child = &rows->rows[row->first_child + j];
            assert_int_equal(child->parent, i);
            assert_true(j == 0 || child->total <= child[-1].total);
            sum += child->total;
        }
        assert_int_equal(row->total, sum);
    }
    assert_int_equal(selves, samples);
}

static void assert_sums_with(const struct profile *profile, const struct tree_options *options)
{
    cleanup_functions struct functions functions = {0};
    cleanup_tree_rows struct tree_rows rows = {0};
    assert_null(functions_init(&functions, profile, NULL));
    assert_null(tree_rows_init(&rows, profile, &functions, options));
    if (options->min_percent == 0) {
        assert_sums(&rows, count_samples(profile));
        assert_int_equal(rows.small_count, 0);
    }
}

/* For sanitizers to look at. */
static void write_with(const struct profile *profile, const struct tree_options *options)
{
    cleanup_file FILE *out = fopen("/dev/null", "w");
    const struct format_options format_options = {.tree = *options};
    assert_non_null(out);
    assert_null(format_by_name("tree")->write(profile, &format_options, out));
}

static void no_sample_is_lost_by_folding(void **state)
{
    (void)state;
    uint64_t random = 42;
    for (int i = 0; i < ROUND_COUNT; i++) {
        cleanup_profile struct profile *profile = random_profile(&random);
        if (i % 2) {
            const struct profile_process process = {.python_version = profile_intern(profile, "2.7.18", 6)};
            profile_add_process(profile, &process);
        }
        assert_sums_with(profile, &(struct tree_options){0});
        assert_sums_with(profile, &(struct tree_options){.show_all = true});
        assert_sums_with(profile, &(struct tree_options){.min_percent = 3});
        write_with(profile, &(struct tree_options){.width = 80});
        write_with(profile, &(struct tree_options){.depth = 3, .use_ascii = true, .use_colour = true});
        write_with(profile, &(struct tree_options){.only_self = true, .width = 30});
    }
}

static void a_small_row_keeps_its_time_in_those_above(void **state)
{
    (void)state;
    uint64_t random = 7;
    cleanup_profile struct profile *profile = random_profile(&random);
    cleanup_functions struct functions functions = {0};
    cleanup_tree_rows struct tree_rows rows = {0};
    assert_null(functions_init(&functions, profile, NULL));
    assert_null(tree_rows_init(&rows, profile, &functions, &(struct tree_options){.min_percent = 5}));
    uint64_t below = rows.small_total;
    for (uint32_t i = 0; i < rows.count; i++)
        below += rows.rows[i].self;
    assert_true(rows.small_count > 0);
    assert_int_equal(rows.rows[0].total, below);
    for (uint32_t i = 0; i < rows.count; i++)
        assert_true(rows.rows[i].total * 100 >= 5 * rows.rows[0].total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sample_is_lost_by_folding),
        cmocka_unit_test(a_small_row_keeps_its_time_in_those_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
