/* SPDX-License-Identifier: MIT */
#include "formats/formats.h"

#include "base/cleanup.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int create_profile(void **state)
{
    return profile_create("app", "python app.py", (struct profile **)state) != NULL;
}

static int destroy_profile(void **state)
{
    profile_destroy(*state);
    return 0;
}

static char *write_collapsed(const struct profile *profile)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_null(format_by_name("raw")->write(profile, &(struct format_options){0}, out));
    fclose(out);
    assert_int_equal(len, strlen(text));
    return text;
}

static void assert_collapsed(const struct profile *profile, const char *expected)
{
    cleanup_free char *text = write_collapsed(profile);
    assert_string_equal(text, expected);
}

static void formats_are_found_by_name(void **state)
{
    (void)state;
    size_t count;
    const struct format *all = formats_all(&count);
    assert_string_equal(all[0].name, "flamegraph");
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(format_by_name(all[i].name), &all[i]);
    assert_ptr_equal(format_by_name("FlameGraph"), &all[0]);
    assert_ptr_equal(format_by_name("raw"), &all[1]);
    assert_ptr_equal(format_by_name("collapsed"), &all[1]);
    assert_ptr_equal(format_by_name("tree"), &all[2]);
    assert_null(format_by_name("flame"));
    assert_null(format_by_name(""));
}

static void formats_are_found_by_ending(void **state)
{
    (void)state;
    const struct format *flamegraph = format_by_name("flamegraph");
    const struct format *raw = format_by_name("raw");
    assert_ptr_equal(format_by_ending("out/flame.svg"), flamegraph);
    assert_ptr_equal(format_by_ending("FLAME.SVG"), flamegraph);
    assert_ptr_equal(format_by_ending("a.txt"), raw);
    assert_ptr_equal(format_by_ending("a.svg.folded"), raw);
    assert_ptr_equal(format_by_ending("a.collapsed"), raw);
    assert_ptr_equal(format_by_ending("a.raw"), raw);
    assert_ptr_equal(format_by_ending("a.tree"), format_by_name("tree"));
    assert_ptr_equal(format_by_ending("a.pb.gz"), format_by_name("pprof"));
    assert_ptr_equal(format_by_ending("a.pprof"), format_by_name("pprof"));
    assert_null(format_by_ending("a.gz"));
    assert_null(format_by_ending("svg"));
    assert_ptr_equal(format_by_ending("a.json"), format_by_name("json"));
    assert_ptr_equal(format_by_ending("a.jsonl"), format_by_name("json"));
    assert_ptr_equal(format_by_ending("a.speedscope.json"), format_by_name("speedscope"));
    assert_ptr_equal(format_by_ending("a.TRACE.json"), format_by_name("chrometrace"));
    assert_ptr_equal(format_by_ending("a.firefox.json"), format_by_name("firefox"));
    assert_null(format_by_ending(""));
}

static void every_format_has_its_default_ending(void **state)
{
    (void)state;
    size_t count;
    const struct format *all = formats_all(&count);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(format_by_ending(all[i].extension), &all[i]);
}

static void an_empty_profile_is_an_empty_file(void **state)
{
    struct profile *profile = *state;
    build_child(profile, PROFILE_ROOT, build_thread(profile, "MainThread"), 0);
    assert_collapsed(profile, "");
}

static void stacks_that_have_samples_are_lines(void **state)
{
    struct profile *profile = *state;
    uint32_t thread = build_child(profile, PROFILE_ROOT, build_thread(profile, "MainThread"), 0);
    uint32_t outer = build_child(profile, thread, build_frame(profile, "main", "a.py", 1), 7);
    build_child(profile, outer, build_frame(profile, "work", "a.py", 2), 35);
    assert_collapsed(profile, "app;MainThread;main (a.py:1) 7\n"
                              "app;MainThread;main (a.py:1);work (a.py:2) 35\n");
}

static void the_root_alone_has_a_semicolon_too(void **state)
{
    struct profile *profile = *state;
    profile_count(profile, PROFILE_ROOT, 3);
    assert_collapsed(profile, "app;app 3\n");
    build_child(profile, PROFILE_ROOT, build_thread(profile, "app"), 4);
    assert_collapsed(profile, "app;app 7\n");
}

static void lines_are_sorted_by_their_bytes(void **state)
{
    struct profile *profile = *state;
    const char *names[] = {"b", "a", "a (x)", "a!", "a 1x", "aa"};
    for (size_t i = 0; i < array_size(names); i++) {
        uint32_t node = build_child(profile, PROFILE_ROOT, build_thread(profile, names[i]), 12);
        build_child(profile, node, build_thread(profile, "z"), 1);
    }
    assert_collapsed(profile, "app;a (x) 12\n"
                              "app;a (x);z 1\n"
                              "app;a 12\n"
                              "app;a 1x 12\n"
                              "app;a 1x;z 1\n"
                              "app;a! 12\n"
                              "app;a!;z 1\n"
                              "app;a;z 1\n"
                              "app;aa 12\n"
                              "app;aa;z 1\n"
                              "app;b 12\n"
                              "app;b;z 1\n");
}

static void stacks_of_one_text_are_one_line(void **state)
{
    struct profile *profile = *state;
    uint32_t first = build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "/x/a.py", 1), 1);
    uint32_t second = build_child(profile, PROFILE_ROOT, build_frame(profile, "f", "/y/a.py", 1), 2);
    build_child(profile, first, build_thread(profile, "g;"), 4);
    build_child(profile, second, build_thread(profile, "g:"), 8);
    const char *files[] = {"/x/a.py", "/y/a.py"};
    for (size_t i = 0; i < array_size(files); i++)
        profile_set_short_file(profile, profile_intern(profile, files[i], 7), profile_intern(profile, "a.py", 4));
    assert_collapsed(profile, "app;f (a.py:1) 3\n"
                              "app;f (a.py:1);g: 12\n");
}

static void hostile_names_stay_in_their_line(void **state)
{
    struct profile *profile = *state;
    uint32_t node = build_child(profile, PROFILE_ROOT, build_frame_bytes(profile, "a\n1\0;b", 6, "x\ny.py", 1), 1);
    build_child(profile, node, build_thread(profile, "worker 5"), 2);
    assert_collapsed(profile, "app;a 1 :b (x y.py:1) 1\n"
                              "app;a 1 :b (x y.py:1);worker_5 2\n");
}

/* A name of 5000 characters in each of 2000 frames: what stands far out is cut, and a line stays within reason. */
static void a_line_does_not_repeat_long_names_without_end(void **state)
{
    enum { DEPTH = 2000, NAME_LEN = 5000, LINE_LIMIT = 1024 * 1024, CUT_LEN = 64 };
    struct profile *profile = *state;
    cleanup_free char *name = malloc(NAME_LEN + 1);
    assert_non_null(name);
    memset(name, 'n', NAME_LEN);
    name[NAME_LEN] = '\0';
    uint32_t node = build_child(profile, PROFILE_ROOT, build_thread(profile, "MainThread"), 0);
    for (int i = 0; i < DEPTH; i++)
        node = build_child(profile, node, build_frame(profile, name, "a.py", 1), i == DEPTH - 1);
    cleanup_free char *text = write_collapsed(profile);
    size_t len = strlen(text);
    size_t whole = LINE_LIMIT / (NAME_LEN + sizeof(" (a.py:1)")) + 1;
    assert_in_range(len, LINE_LIMIT, LINE_LIMIT + NAME_LEN + DEPTH * (CUT_LEN + sizeof("...;")));
    const char *at = text;
    for (size_t i = 0; i < whole; i++) {
        at = strstr(at, "n (a.py:1);");
        assert_non_null(at);
        at++;
    }
    assert_null(strstr(at + NAME_LEN, "(a.py:1)"));
    assert_string_equal(text + len - strlen("nn\xe2\x80\xa6 1\n"), "nn\xe2\x80\xa6 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_found_by_name),
        cmocka_unit_test(formats_are_found_by_ending),
        cmocka_unit_test(every_format_has_its_default_ending),
        cmocka_unit_test_setup_teardown(an_empty_profile_is_an_empty_file, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(stacks_that_have_samples_are_lines, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(the_root_alone_has_a_semicolon_too, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(lines_are_sorted_by_their_bytes, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(stacks_of_one_text_are_one_line, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_line_does_not_repeat_long_names_without_end, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(hostile_names_stay_in_their_line, create_profile, destroy_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
