/* SPDX-License-Identifier: MIT */
#include "formats/diff_formats.h"

#include "base/cleanup.h"
#include "profile/diff.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct profile *build(const char *title, uint64_t slow, uint64_t same, const char *other, uint64_t count)
{
    struct profile *profile = NULL;
    assert_null(profile_create("app", title, &profile));
    profile_info(profile)->interval_ns = 10000000;
    uint32_t root = build_child(profile, PROFILE_ROOT, build_frame(profile, "main", "app.py", 30), 0);
    build_child(profile, root, build_frame(profile, "slow", "app.py", 3), slow);
    build_child(profile, root, build_frame(profile, "same", "app.py", 9), same);
    build_child(profile, root, build_frame(profile, other, "app.py", 20), count);
    return profile;
}

static char *compare(const struct profile *before, const struct profile *after,
                     const struct diff_format_options *options, enum diff_measure measure)
{
    const struct diff_source sources[] = {{before, 1}, {after, 1}};
    const struct diff_options diff_options = {.measure = measure};
    cleanup_diff struct diff *diff = NULL;
    char *text = NULL;
    size_t len;
    assert_null(diff_create(&sources[0], &sources[1], &diff_options, &diff));
    FILE *out = open_memstream(&text, &len);
    assert_null(diff_format_by_name("table")->write(diff, options, out));
    fclose(out);
    return text;
}

static char *write_table(const struct diff_format_options *options, enum diff_measure measure)
{
    cleanup_profile struct profile *before = build("python \033[31mold.py", 200, 700, "old\n", 100);
    cleanup_profile struct profile *after = build("python new.py", 1200, 700, "new", 100);
    return compare(before, after, options, measure);
}

static void the_table_tells_what_changed(void **state)
{
    (void)state;
    cleanup_free char *text = write_table(&(struct diff_format_options){.rows = 20}, DIFF_SECONDS);
    assert_string_equal(text,
                        "before     10.00 s, 1,000 samples: python \\x1b[31mold.py\n"
                        "after      20.00 s, 2,000 samples: python new.py\n"
                        "\n"
                        "Compared are seconds, as for runs that did the same work.\n"
                        "For recordings of any length, '--normalize share' compares shares of all time.\n"
                        "Listed is what changed by more than 3 standard errors of sampling; '--noise' lists the rest, "
                        "too.\n"
                        "\n"
                        "Self time: in the function itself\n"
                        "             before               after                 change\n"
                        "     2.00 s  20.0 %    12.00 s  60.0 %    +10.00 s  +40.0 pt        slow (app.py:3)\n"
                        "          -       -      1.00 s   5.0 %     +1.00 s   +5.0 pt   new  new (app.py:20)\n"
                        "     1.00 s  10.0 %          -       -      -1.00 s  -10.0 pt   gone old\\x0a (app.py:20)\n"
                        "1 function did not change by more than noise\n"
                        "\n"
                        "Total time: with what it calls\n"
                        "             before               after                 change\n"
                        "    10.00 s 100.0 %    20.00 s 100.0 %    +10.00 s   +0.0 pt        main (app.py:30)\n"
                        "     2.00 s  20.0 %    12.00 s  60.0 %    +10.00 s  +40.0 pt        slow (app.py:3)\n"
                        "          -       -      1.00 s   5.0 %     +1.00 s   +5.0 pt   new  new (app.py:20)\n"
                        "     1.00 s  10.0 %          -       -      -1.00 s  -10.0 pt   gone old\\x0a (app.py:20)\n"
                        "1 function did not change by more than noise\n");
}

static void shares_are_compared_when_wanted(void **state)
{
    (void)state;
    cleanup_free char *text = write_table(&(struct diff_format_options){.rows = 20}, DIFF_SHARES);
    const char *slow = strstr(text, "slow (app.py:3)\n"), *same = strstr(text, "same (app.py:9)\n");
    assert_true(slow && same && slow < same);
    assert_null(strstr(text, "main (app.py:30)"));
}

static void noise_is_listed_when_wanted(void **state)
{
    (void)state;
    cleanup_free char *text = write_table(&(struct diff_format_options){.rows = 20, .with_noise = true}, DIFF_SECONDS);
    assert_non_null(
        strstr(text, "     7.00 s  70.0 %     7.00 s  35.0 %     +0.00 s  -35.0 pt ~      same (app.py:9)\n"));
    assert_null(strstr(text, "did not change"));
}

static void rows_are_limited_and_what_is_left_out_is_counted(void **state)
{
    (void)state;
    cleanup_free char *text = write_table(&(struct diff_format_options){.rows = 1}, DIFF_SECONDS);
    assert_non_null(strstr(text, "slow (app.py:3)\n2 more changed\n1 function did"));
}

static void without_samples_nothing_is_compared(void **state)
{
    (void)state;
    cleanup_profile struct profile *some = build("python a.py", 200, 700, "x", 100);
    cleanup_profile struct profile *none = build("python b.py", 0, 0, "x", 0);
    for (int i = 0; i < 3; i++) {
        cleanup_free char *text =
            compare(i == 0 ? some : none, i == 1 ? some : none, &(struct diff_format_options){.rows = 20}, DIFF_SHARES);
        const char *end = strstr(text, "There is nothing to compare");
        assert_non_null(end);
        assert_null(strstr(text, "noise"));
        assert_string_equal(strchr(end, '\n'), "\n");
    }
}

static void names_fit_into_the_terminal(void **state)
{
    (void)state;
    cleanup_free char *text = write_table(&(struct diff_format_options){.rows = 1, .columns = 72}, DIFF_SECONDS);
    assert_non_null(strstr(text, "slow (app.py:3)\n"));
}

static void colours_are_for_terminals(void **state)
{
    (void)state;
    cleanup_free char *plain = write_table(&(struct diff_format_options){.rows = 20}, DIFF_SECONDS);
    cleanup_free char *coloured =
        write_table(&(struct diff_format_options){.rows = 20, .with_colours = true}, DIFF_SECONDS);
    assert_null(strchr(plain, '\033'));
    assert_non_null(strstr(coloured, "\033[31m   +10.00 s  +40.0 pt\033[0m"));
    assert_non_null(strstr(coloured, "\033[94m    -1.00 s  -10.0 pt\033[0m"));
}

static void formats_are_found_by_name_and_ending(void **state)
{
    (void)state;
    assert_string_equal(diff_format_by_name("TABLE")->name, "table");
    assert_string_equal(diff_format_by_ending("a.TXT")->name, "table");
    assert_null(diff_format_by_name("pprof"));
    assert_null(diff_format_by_ending("a.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_tells_what_changed),
        cmocka_unit_test(shares_are_compared_when_wanted),
        cmocka_unit_test(noise_is_listed_when_wanted),
        cmocka_unit_test(rows_are_limited_and_what_is_left_out_is_counted),
        cmocka_unit_test(without_samples_nothing_is_compared),
        cmocka_unit_test(names_fit_into_the_terminal),
        cmocka_unit_test(colours_are_for_terminals),
        cmocka_unit_test(formats_are_found_by_name_and_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
