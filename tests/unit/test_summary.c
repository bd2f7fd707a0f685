/* SPDX-License-Identifier: MIT */
#include "formats/summary.h"

#include "base/cleanup.h"
#include "formats/formats.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int create_profile(void **state)
{
    struct profile *profile;
    if (profile_create("app", "python app.py", &profile))
        return 1;
    profile_info(profile)->interval_ns = 1000000;
    *state = profile;
    return 0;
}

static int destroy_profile(void **state)
{
    profile_destroy(*state);
    return 0;
}

static void assert_summary(const struct profile *profile, const struct tree_options *tree, const char *expected)
{
    cleanup_free char *text = NULL;
    size_t len;
    const struct format_options options = {.tree = *tree};
    FILE *out = open_memstream(&text, &len);
    assert_null(summary_write(profile, &options, out));
    fclose(out);
    assert_string_equal(text, expected);
}

static void five_functions_of_most_self_time(void **state)
{
    struct profile *profile = *state;
    uint32_t thread = build_child(profile, PROFILE_ROOT, build_thread(profile, "MainThread"), 0);
    uint32_t main = build_child(profile, thread, build_frame(profile, "main", "a.py", 9), 30);
    const char *names[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < 5; i++)
        build_child(profile, main, build_frame(profile, names[i], "b.py", 10 + (int)i), 100 * (i + 1));
    build_child(profile, main, build_frame(profile, "two", "b.py", 20), 470);
    assert_summary(profile, &(struct tree_options){.min_percent = TREE_MIN_PERCENT},
                   "        self         total  function\n"
                   "0.670s   34%  0.670s   34%  two    b.py:20\n"
                   "0.500s   25%  0.500s   25%  five   b.py:14\n"
                   "0.400s   20%  0.400s   20%  four   b.py:13\n"
                   "0.300s   15%  0.300s   15%  three  b.py:12\n"
                   "0.100s    5%  0.100s    5%  one    b.py:10\n");
}

static void fewer_functions_are_fewer_lines(void **state)
{
    struct profile *profile = *state;
    build_child(profile, PROFILE_ROOT, build_frame(profile, "main", "a.py", 9), 3);
    assert_summary(profile, &(struct tree_options){.width = 40, .with_percent = true},
                   "self  total  function\n"
                   "100%  100%  main  a.py:9\n");
}

static void nothing_is_nothing(void **state)
{
    assert_summary(*state, &(struct tree_options){0}, "");
}

static void a_narrow_window_cuts_places_first(void **state)
{
    struct profile *profile = *state;
    build_child(profile, PROFILE_ROOT, build_frame(profile, "compute_everything", "/home/user/project/module.py", 9),
                3);
    assert_summary(profile, &(struct tree_options){.width = 62},
                   "        self         total  function\n"
                   "0.003s  100%  0.003s  100%  compute_everything  …/module.py:9\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(five_functions_of_most_self_time, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(fewer_functions_are_fewer_lines, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(nothing_is_nothing, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_narrow_window_cuts_places_first, create_profile, destroy_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
