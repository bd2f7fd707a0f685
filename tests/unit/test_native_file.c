/* SPDX-License-Identifier: MIT */
#include "profile/native_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void names_tell_sources_from_libraries(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool is_source, is_library, is_python;
    } cases[] = {
        {"/usr/lib/libc.so.6", false, true, false},
        {"libtorch_cpu.so", false, true, false},
        {"libfoo.so.1.2.3", false, true, false},
        {"_json.cpython-311-x86_64-linux-gnu.so", false, true, false},
        {"/usr/lib/libpython3.11.so.1.0", false, true, true},
        {"/usr/bin/python3.11", false, true, true},
        {"python", false, false, false},
        {"python3.13t", false, true, true},
        {"python2.7dmu", false, true, true},
        {"/app/python_tools", false, false, false},
        {"/app/python/tool", false, false, false},
        {"/src/Python-3.11.7/Objects/listobject.c", true, false, true},
        {"/src/Python-tools/a.c", true, false, false},
        {"fast.c", true, false, false},
        {"a/b.CPP", true, false, false},
        {"lib.rs", true, false, false},
        {"net.pyx", true, false, false},
        {"solve.f90", true, false, false},
        {"main.py", false, false, false},
        {"<frozen os>", false, false, false},
        {"/a.c/b", false, false, false},
        {".so", false, false, false},
        {"c", false, false, false},
        {"a.", false, false, false},
        {"lib.so.x", false, false, false},
        {"1.2.3.4", false, false, false},
        {"", false, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].path);
        print_message("%s\n", cases[i].path);
        assert_int_equal(native_file_is_source(cases[i].path, len), cases[i].is_source);
        assert_int_equal(native_file_is_library(cases[i].path, len), cases[i].is_library);
        assert_int_equal(native_file_is_python(cases[i].path, len), cases[i].is_python);
    }
}

/* A text need not end in a NUL. */
static void nothing_behind_the_length_counts(void **state)
{
    (void)state;
    assert_false(native_file_is_library("libc.so", 5));
    assert_true(native_file_is_library("libc.soup", 7));
    assert_true(native_file_is_source("a.cx", 3));
    assert_false(native_file_is_python("python3x", 8));
    assert_true(native_file_is_python("python3x", 7));
    assert_int_equal(native_file_base("/a/b/c", 4), 3);
    assert_int_equal(native_file_base("abc", 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell_sources_from_libraries),
        cmocka_unit_test(nothing_behind_the_length_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
