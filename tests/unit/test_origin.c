/* SPDX-License-Identifier: MIT */
#include "profile/origin.h"

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

static void the_file_tells_whose_code_it_is(void **state)
{
    struct profile *profile = *state;
    static const struct {
        const char *file;
        enum frame_origin origin;
    } cases[] = {
        {"/home/user/app/main.py", ORIGIN_OWN},
        {"<string>", ORIGIN_OWN},
        {"", ORIGIN_OWN},
        {"/home/user/lib/python/tools.py", ORIGIN_OWN},
        {"/home/user/app/_bootstrap.py", ORIGIN_OWN},
        {"importlib/_bootstrap", ORIGIN_OWN},
        {"c", ORIGIN_OWN},
        {"/usr/lib/python3.11/json/decoder.py", ORIGIN_STDLIB},
        {"/opt/lib/python3.13t/threading.py", ORIGIN_STDLIB},
        {"/opt/lib/python311.zip/os.pyc", ORIGIN_STDLIB},
        {"<frozen runpy>", ORIGIN_STDLIB},
        {"<frozen zipimport>", ORIGIN_STDLIB},
        {"/usr/lib/python3.11/importlib/resources/__init__.py", ORIGIN_STDLIB},
        {"<frozen importlib._bootstrap>", ORIGIN_IMPORT},
        {"<frozen importlib._bootstrap_external>", ORIGIN_IMPORT},
        {"<frozen importlib.util>", ORIGIN_IMPORT},
        {"/usr/lib/python3.11/importlib/__init__.py", ORIGIN_IMPORT},
        {"/usr/lib/python3.6/importlib/_bootstrap.py", ORIGIN_IMPORT},
        {"/usr/lib/python3.6/importlib/_bootstrap_external.py", ORIGIN_IMPORT},
        {"/opt/lib/python311.zip/importlib/__init__.pyc", ORIGIN_IMPORT},
        {"/src/cpython/Lib/importlib/_bootstrap.py", ORIGIN_IMPORT},
        {"/venv/lib/python3.12/site-packages/numpy/core.py", ORIGIN_PACKAGE},
        {"/venv/lib/python3.12/site-packages/importlib/__init__.py", ORIGIN_PACKAGE},
        {"/usr/lib/python3/dist-packages/yaml/__init__.py", ORIGIN_PACKAGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].file);
        assert_int_equal(profile_frame_origin(profile, build_frame(profile, "f", cases[i].file, 1)), cases[i].origin);
    }
}

static void what_is_no_code_is_nobodys(void **state)
{
    struct profile *profile = *state;
    assert_int_equal(profile_frame_origin(profile, 0), ORIGIN_NONE);
    assert_int_equal(profile_frame_origin(profile, build_thread(profile, "<frozen importlib>")), ORIGIN_NONE);
    assert_int_equal(profile_frame_origin(profile, build_group(profile, FRAME_MARK, "<GC>")), ORIGIN_NONE);
}

static void native_code_is_whose_library_it_is_in(void **state)
{
    struct profile *profile = *state;
    static const struct {
        const char *name, *file;
        int32_t line;
        enum frame_origin origin;
    } cases[] = {
        {"f", "/home/user/app/fast.cpython-311-x86_64-linux-gnu.so", 0, ORIGIN_OWN},
        {"f", "/home/user/app/fast.c", 12, ORIGIN_OWN},
        {"f", "/home/user/app/fast.pyx", 12, ORIGIN_OWN},
        {"f", "/venv/lib/python3.12/site-packages/numpy.libs/libopenblas64_p-r0.so", 0, ORIGIN_PACKAGE},
        {"f", "/usr/lib/python3/dist-packages/numpy/core/_multiarray_umath.so", 0, ORIGIN_PACKAGE},
        {"f", "/usr/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so", 0, ORIGIN_STDLIB},
        {"list_sort", "/usr/bin/python3.11", 0, ORIGIN_STDLIB},
        {"list_sort", "/home/user/.pyenv/versions/3.13.0t/bin/python3.13t", 0, ORIGIN_STDLIB},
        {"list_sort", "/opt/conda/lib/libpython3.11.so.1.0", 0, ORIGIN_STDLIB},
        {"list_sort", "/tmp/python-build.1/Python-3.11.7/Objects/listobject.c", 2200, ORIGIN_STDLIB},
        {"PyImport_ImportModuleLevelObject", "/usr/bin/python3.11", 0, ORIGIN_IMPORT},
        {"import_find_and_load", "/tmp/Python-3.11.7/Python/import.c", 1700, ORIGIN_IMPORT},
        {"import_find_and_load", "/home/user/app/fast.so", 0, ORIGIN_OWN},
        {"read", "/usr/lib/x86_64-linux-gnu/libc.so.6", 0, ORIGIN_NONE},
        {"read", "/lib/ld-musl-x86_64.so.1", 0, ORIGIN_NONE},
        {"mkl_blas_dgemm", "/home/user/miniconda3/lib/libmkl_core.so.2", 0, ORIGIN_NONE},
        {"f", "/home/user/lib/tools/fast.so", 0, ORIGIN_OWN},
        {"f", "./nptl/pthread_create.c", 442, ORIGIN_NONE},
        {"f", "[vdso]", 0, ORIGIN_NONE},
        {"f", "", 0, ORIGIN_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s %s\n", cases[i].name, cases[i].file);
        uint32_t frame = build_native(profile, cases[i].name, cases[i].file, cases[i].line);
        assert_int_equal(profile_frame_origin(profile, frame), cases[i].origin);
    }
    assert_int_equal(profile_frame_origin(profile, build_kernel(profile, "read")), ORIGIN_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_tells_whose_code_it_is, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(what_is_no_code_is_nobodys, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(native_code_is_whose_library_it_is_in, create_profile, destroy_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
