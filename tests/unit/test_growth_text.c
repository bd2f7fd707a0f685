/* SPDX-License-Identifier: MIT */
#include "formats/growth_text.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/diff.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct profile *build(uint64_t slow, uint64_t rest)
{
    struct profile *profile = NULL;
    assert_null(profile_create("app", "python app.py", &profile));
    uint32_t frame = build_frame(profile, "slow\033[2J", "/srv/app.py", 3);
    profile_set_short_file(profile, profile_frame(profile, frame)->file, profile_intern(profile, "app.py", 6));
    build_child(profile, PROFILE_ROOT, frame, slow);
    build_child(profile, PROFILE_ROOT, build_frame(profile, "rest", "/srv/app.py", 9), rest);
    return profile;
}

static void assert_text(enum growth_kind kind, bool full_filenames, const char *expected)
{
    cleanup_profile struct profile *before = build(250, 750), *after = build(900, 1100);
    const struct diff_source sources[] = {{before, 1}, {after, 1}};
    const struct diff_options options = {.lines = DIFF_LINES, .with_full_files = full_filenames};
    cleanup_diff struct diff *diff = NULL;
    assert_null(diff_create(&sources[0], &sources[1], &options, &diff));
    uint32_t count = 0;
    cleanup_free uint32_t *frames = NULL;
    assert_null(growth_find(diff, kind, 5, &frames, &count));
    assert_int_equal(count, 1);
    cleanup_buffer struct buffer text = {0};
    growth_text_append(&text, diff, kind, frames[0], full_filenames);
    assert_false(text.failed);
    assert_string_equal(buffer_text(&text), expected);
}

static void it_tells_both_shares_and_what_lies_between(void **state)
{
    (void)state;
    assert_text(GROWTH_SELF, false,
                "slow\\x1b[2J (app.py:3) takes 45.0 % of the time by itself, 25.0 % before: +20.0 points");
}

static void it_tells_which_time_and_which_file(void **state)
{
    (void)state;
    assert_text(
        GROWTH_TOTAL, true,
        "slow\\x1b[2J (/srv/app.py:3) takes 45.0 % of the time with what it calls, 25.0 % before: +20.0 points");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_tells_both_shares_and_what_lies_between),
        cmocka_unit_test(it_tells_which_time_and_which_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
