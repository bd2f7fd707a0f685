/* SPDX-License-Identifier: MIT */
#include "formats/colour.h"

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

static void the_file_decides_about_the_family(void **state)
{
    struct profile *profile = *state;
    static const struct {
        const char *file;
        enum colour_family family;
    } cases[] = {
        {"/home/user/app/main.py", COLOUR_OWN},
        {"<string>", COLOUR_OWN},
        {"", COLOUR_OWN},
        {"/home/user/lib/python/tools.py", COLOUR_OWN},
        {"/home/user/lib/python3", COLOUR_OWN},
        {"/usr/lib/python3.11/json/decoder.py", COLOUR_STDLIB},
        {"/usr/lib64/python3.6/os.py", COLOUR_STDLIB},
        {"/opt/lib/python3.13t/threading.py", COLOUR_STDLIB},
        {"/opt/lib/python311.zip/os.pyc", COLOUR_STDLIB},
        {"<frozen importlib._bootstrap>", COLOUR_IMPORT},
        {"<frozen importlib._bootstrap_external>", COLOUR_IMPORT},
        {"/usr/lib/python3.6/importlib/_bootstrap_external.py", COLOUR_IMPORT},
        {"/usr/lib/python3.11/importlib/__init__.py", COLOUR_IMPORT},
        {"/usr/lib/python3.11/importlib/resources/_common.py", COLOUR_STDLIB},
        {"<frozen runpy>", COLOUR_STDLIB},
        {"/venv/lib/python3.12/site-packages/numpy/core.py", COLOUR_PACKAGE},
        {"/usr/lib/python3/dist-packages/yaml/__init__.py", COLOUR_PACKAGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct colour colour = colour_of_frame(profile, build_frame(profile, "f", cases[i].file, 1));
        assert_int_equal(colour.family, cases[i].family);
    }
    assert_int_equal(colour_of_frame(profile, build_thread(profile, "/usr/lib/python3.11/x")).family, COLOUR_ROOT);
    assert_int_equal(colour_of_frame(profile, 0).family, COLOUR_ROOT);
    assert_int_equal(colour_of_frame(profile, build_group(profile, FRAME_MARK, "<GC>")).family, COLOUR_GC);
    assert_int_equal(colour_of_frame(profile, build_group(profile, FRAME_MARK, "<cut>")).family, COLOUR_ROOT);
    assert_int_equal(colour_of_frame(profile, build_frame(profile, "<GC>", "a.py", 1)).family, COLOUR_OWN);
}

static void native_code_and_the_kernel_have_their_own(void **state)
{
    struct profile *profile = *state;
    const uint32_t native[] = {
        build_native(profile, "f", "/usr/lib/libc.so.6", 0),
        build_native(profile, "f", "/home/user/app/fast.c", 12),
        build_native(profile, "f", "/venv/lib/python3.12/site-packages/numpy/core/_umath.so", 0),
        build_native(profile, "<GC>", "", 0),
        build_frame(profile, "f", "/venv/lib/python3.12/site-packages/pandas/_libs/lib.pyx", 7),
    };
    for (size_t i = 0; i < sizeof(native) / sizeof(native[0]); i++)
        assert_int_equal(colour_of_frame(profile, native[i]).family, COLOUR_NATIVE);
    assert_int_equal(colour_of_frame(profile, build_kernel(profile, "read")).family, COLOUR_KERNEL);
    assert_int_equal(colour_of_frame(profile, build_kernel(profile, "<GC>")).family, COLOUR_KERNEL);
    assert_int_equal(colour_of_frame(profile, build_frame(profile, "f", ".pyx", 7)).family, COLOUR_OWN);
}

static void the_shade_depends_on_name_and_file_alone(void **state)
{
    struct profile *profile = *state;
    uint32_t shade = colour_of_frame(profile, build_frame(profile, "f", "a.py", 1)).shade;
    assert_int_equal(colour_of_frame(profile, build_frame(profile, "f", "a.py", 99)).shade, shade);
    uint32_t seen = 0;
    for (char name[] = "a"; *name <= 'z'; (*name)++) {
        shade = colour_of_frame(profile, build_frame(profile, name, "a.py", 1)).shade;
        assert_in_range(shade, 0, COLOUR_SHADES - 1);
        seen |= 1U << shade;
    }
    assert_int_equal(seen, (1U << COLOUR_SHADES) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_decides_about_the_family, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(native_code_and_the_kernel_have_their_own, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(the_shade_depends_on_name_and_file_alone, create_profile, destroy_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
