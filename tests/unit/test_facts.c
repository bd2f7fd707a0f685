/* SPDX-License-Identifier: MIT */
#include "formats/facts.h"

#include "profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct profile_info clean = {
    .interval_ns = 10000000,
    .duration_ns = 12340000000,
    .intervals = {.ok = 1000, .idle = 234},
};

static void assert_facts(const struct profile_info *info, uint64_t samples, const char *expected)
{
    cleanup_buffer struct buffer facts = {0};
    facts_append(&facts, info, samples);
    assert_string_equal(buffer_text(&facts), expected);
}

static void assert_reasons(const struct profile_intervals *intervals, const char *expected)
{
    cleanup_buffer struct buffer reasons = {0};
    cleanup_profile struct profile *profile = NULL;
    assert_null(profile_create("app", "app", &profile));
    profile_info(profile)->intervals = *intervals;
    facts_append_reasons(&reasons, profile);
    assert_string_equal(buffer_text(&reasons), expected);
}

static void only_more_than_one_percent_is_a_warning(void **state)
{
    (void)state;
    static const struct {
        struct profile_intervals intervals;
        const char *expected;
    } cases[] = {
        {{0}, ""},
        {{.ok = 99, .torn = 1}, ""},
        {{.ok = 980, .torn = 5, .unreadable = 6, .missed = 9},
         "2.0 % of the intervals were lost, so shares may be off"},
        {{.missed = 1}, "100 % of the intervals were lost, so shares may be off"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_buffer struct buffer out = {0};
        facts_append_warning(&out, &cases[i].intervals);
        assert_string_equal(buffer_text(&out), cases[i].expected);
        assert_int_equal(facts_are_lossy(&cases[i].intervals), *cases[i].expected != '\0');
    }
}

static void counts_have_commas(void **state)
{
    (void)state;
    cleanup_buffer struct buffer out = {0};
    const uint64_t counts[] = {0, 999, 1000, 1234567, UINT64_MAX};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        facts_append_count(&out, counts[i]);
        buffer_append_char(&out, ' ');
    }
    assert_string_equal(buffer_text(&out), "0 999 1,000 1,234,567 18,446,744,073,709,551,615 ");
}

static void samples_time_and_rate_are_said(void **state)
{
    (void)state;
    assert_facts(&clean, 1234567, "1,234,567 samples, 12.34 s, 100 per second");
    assert_facts(&clean, 1, "1 sample, 12.34 s, 100 per second");
    assert_facts(&(struct profile_info){0}, 0, "0 samples, 0 s");
}

static void what_is_shown_is_said_when_it_is_not_all(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = NULL;
    cleanup_buffer struct buffer out = {0};
    assert_null(profile_create("app", "app", &profile));
    facts_append_selection(&out, profile, 12);
    assert_int_equal(out.len, 0);
    profile_info(profile)->selection = profile_intern(profile, "focus \"\033\"", 9);
    profile_info(profile)->all_samples = 2073;
    facts_append_selection(&out, profile, 12);
    assert_string_equal(buffer_text(&out), "; shown of 2,073 samples: focus \"\\x1b\"");
    buffer_clear(&out);
    facts_append_selection(&out, profile, 2073);
    assert_string_equal(buffer_text(&out), "; shown: focus \"\\x1b\"");
}

static void losses_are_said_when_there_are_any(void **state)
{
    (void)state;
    struct profile_info info = clean;
    info.intervals.torn = 12;
    assert_facts(&info, 5, "5 samples, 12.34 s, 100 per second; lost: 12 torn (0.96 %)");
    info.intervals.unreadable = 1;
    info.intervals.missed = 1000;
    assert_facts(
        &info, 5,
        "45 % of the intervals were lost, so shares may be off; 5 samples, 12.34 s, 100 per second; lost: 12 torn, "
        "1 unreadable, 1,000 missed (45 %)");
}

static void an_empty_recording_says_why(void **state)
{
    (void)state;
    assert_reasons(&(struct profile_intervals){0}, "the recording ended before its first sample\n");
    assert_reasons(&(struct profile_intervals){.idle = 512}, "512 of 512 samples were idle; -i shows them\n");
    assert_reasons(&(struct profile_intervals){.torn = 1, .unreadable = 2, .missed = 3},
                   "1 of 6 samples was torn: the program ran while it was read, each time\n"
                   "2 of 6 samples were unreadable: the memory was not what it has to be\n"
                   "3 of 6 samples were missed: the profiler did not get to run in time\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_more_than_one_percent_is_a_warning),
        cmocka_unit_test(counts_have_commas),
        cmocka_unit_test(samples_time_and_rate_are_said),
        cmocka_unit_test(what_is_shown_is_said_when_it_is_not_all),
        cmocka_unit_test(losses_are_said_when_there_are_any),
        cmocka_unit_test(an_empty_recording_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
