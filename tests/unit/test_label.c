/* SPDX-License-Identifier: MIT */
#include "formats/label.h"

#include "formats/formats.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct format_options short_names;
static const struct format_options full_names = {.full_filenames = true};

static int create_profile(void **state)
{
    return profile_create("app", "python app.py", (struct profile **)state) != NULL;
}

static int destroy_profile(void **state)
{
    profile_destroy(*state);
    return 0;
}

static void assert_label(const struct profile *profile, uint32_t frame, const struct format_options *options,
                         const char *expected)
{
    cleanup_buffer struct buffer label = {0};
    label_append(&label, profile, frame, options);
    assert_string_equal(buffer_text(&label), expected);
}

static void a_python_frame_has_its_place(void **state)
{
    struct profile *profile = *state;
    assert_label(profile, build_frame(profile, "f", "/src/a.py", 12), &short_names, "f (/src/a.py:12)");
    assert_label(profile, build_frame(profile, "f", "/src/a.py", 0), &short_names, "f (/src/a.py)");
    assert_label(profile, build_frame(profile, "f", "", 12), &short_names, "f");
    assert_label(profile, build_frame(profile, "", "a.py", 1), &short_names, "(no name) (a.py:1)");
}

static void a_short_file_is_used_unless_full_ones_are_wanted(void **state)
{
    struct profile *profile = *state;
    uint32_t frame = build_frame(profile, "f", "/src/lib/a.py", 3);
    profile_set_short_file(profile, profile_intern(profile, "/src/lib/a.py", 13), profile_intern(profile, "a.py", 4));
    assert_label(profile, frame, &short_names, "f (a.py:3)");
    assert_label(profile, frame, &full_names, "f (/src/lib/a.py:3)");
    cleanup_buffer struct buffer place = {0};
    label_append_place(&place, profile, frame, &short_names);
    assert_string_equal(buffer_text(&place), "a.py:3");
}

static void native_code_has_its_library_or_source(void **state)
{
    struct profile *profile = *state;
    const char library[] = "/usr/lib/libc.so.6";
    uint32_t read = build_native(profile, "read", library, 0);
    assert_label(profile, build_native(profile, "f", "/src/f.c", 12), &short_names, "f (/src/f.c:12)");
    assert_label(profile, build_native(profile, "f", "", 0), &short_names, "f");
    profile_set_short_file(profile, profile_frame(profile, read)->file, profile_intern(profile, "libc.so.6", 9));
    assert_label(profile, read, &short_names, "read (libc.so.6)");
    assert_label(profile, read, &full_names, "read (/usr/lib/libc.so.6)");
}

static void a_system_call_is_in_the_kernel(void **state)
{
    struct profile *profile = *state;
    uint32_t read = build_kernel(profile, "read");
    assert_label(profile, read, &short_names, "read (kernel)");
    cleanup_buffer struct buffer place = {0};
    label_append_place(&place, profile, read, &full_names);
    assert_string_equal(buffer_text(&place), "kernel");
}

static void threads_and_processes_are_names(void **state)
{
    struct profile *profile = *state;
    assert_label(profile, build_thread(profile, "MainThread"), &short_names, "MainThread");
    assert_label(profile, 0, &full_names, "app");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_python_frame_has_its_place, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_short_file_is_used_unless_full_ones_are_wanted, create_profile,
                                        destroy_profile),
        cmocka_unit_test_setup_teardown(native_code_has_its_library_or_source, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_system_call_is_in_the_kernel, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(threads_and_processes_are_names, create_profile, destroy_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
