/* SPDX-License-Identifier: MIT */
#include "formats/pprof_facts.h"

#include "base/cleanup.h"
#include "profile/losses.h"
#include "profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct profile *create(const char *title)
{
    struct profile *profile;
    assert_null(profile_create("app", title, &profile));
    return profile;
}

/* Takes all comments about a profile into another. */
static void carry_over(const struct profile *profile, struct profile *other)
{
    cleanup_buffer struct buffer comments = {0};
    pprof_facts_append(&comments, profile);
    for (size_t at = 0; at < comments.len; at += strlen(comments.data + at) + 1)
        assert_true(pprof_facts_take(other, comments.data + at));
}

static void facts_come_back(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create("python a.py"), *other = create("x");
    struct profile_info *info = profile_info(profile);
    info->intervals = (struct profile_intervals){.ok = 1, .idle = 20, .torn = 300, .unreadable = 4000, .missed = 50000};
    info->cpu_ns = 123;
    profile_set_loss(profile, "things: gone", 12, 7);
    carry_over(profile, other);
    assert_memory_equal(&profile_info(other)->intervals, &info->intervals, sizeof(info->intervals));
    assert_int_equal(profile_info(other)->cpu_ns, 123);
    uint32_t count;
    size_t len;
    const struct profile_loss *losses = profile_losses(other, &count);
    assert_int_equal(count, 1);
    assert_int_equal(losses[0].count, 7);
    assert_string_equal(profile_string(other, losses[0].cause, &len), "things: gone");
}

static void comments_are_for_people(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create("python \x1b[31m\xff.py");
    cleanup_buffer struct buffer comments = {0};
    profile_info(profile)->selection = profile_intern(profile, "main thread", 11);
    pprof_facts_append(&comments, profile);
    const char *second = comments.data + strlen(comments.data) + 1;
    assert_string_equal(comments.data, "command: python \\x1b[31m\\xff.py");
    assert_string_equal(second, "shown: main thread");
    assert_string_equal(second + strlen(second) + 1, "intervals: 0 ok, 0 idle, 0 torn, 0 unreadable, 0 missed");
    assert_string_equal(pprof_facts_command(comments.data), "python \\x1b[31m\\xff.py");
    assert_null(pprof_facts_command(second));
}

static void comments_of_others_mean_nothing(void **state)
{
    (void)state;
    static const char *const comments[] = {
        "",
        "command",
        "intervals: ",
        "intervals: ,,,",
        "intervals: x ok, -1 idle,  torn, 5torn",
        "intervals: 1",
        "CPU time: ",
        "CPU time: 12 s",
        "CPU time:  ns",
        "lost ",
        "lost x: y",
        "lost 1",
        "lost 1:y",
        "lost : y",
        "ok",
    };
    cleanup_profile struct profile *profile = create("x");
    const struct profile_info before = *profile_info(profile);
    uint32_t count;
    for (size_t i = 0; i < array_size(comments); i++)
        assert_true(pprof_facts_take(profile, comments[i]));
    assert_memory_equal(&profile_info(profile)->intervals, &before.intervals, sizeof(before.intervals));
    assert_int_equal(profile_info(profile)->cpu_ns, 0);
    profile_losses(profile, &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_come_back),
        cmocka_unit_test(comments_are_for_people),
        cmocka_unit_test(comments_of_others_mean_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
