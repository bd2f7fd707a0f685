/* SPDX-License-Identifier: MIT */
#include "formats/module_name.h"

#include "profile/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_module(const char *path, const char *short_path, const char *expected)
{
    cleanup_profile struct profile *profile = NULL;
    cleanup_buffer struct buffer name = {0};
    assert_null(profile_create("app", "app", &profile));
    uint32_t file = profile_intern(profile, path, strlen(path));
    if (short_path)
        profile_set_short_file(profile, file, profile_intern(profile, short_path, strlen(short_path)));
    module_name_append(&name, profile, file);
    assert_string_equal(buffer_text(&name), expected);
}

static void short_files_say_where_the_package_begins(void **state)
{
    (void)state;
    assert_module("/x/torch/nn/functional.py", "torch/nn/functional.py", "torch.nn.functional");
    assert_module("/x/torch/__init__.py", "torch/__init__.py", "torch");
    assert_module("/x/torch/nn/__init__.pyc", "torch/nn/__init__.pyc", "torch.nn");
    assert_module("/x/app.py", "app.py", "app");
}

static void without_them_the_folder_of_packages_does(void **state)
{
    (void)state;
    assert_module("/usr/lib/python3/dist-packages/numpy/core/numeric.py", NULL, "numpy.core.numeric");
    assert_module("/v/lib/python3.11/site-packages/a/b.py", NULL, "a.b");
    assert_module("/usr/lib/python3.11/json/decoder.py", NULL, "json.decoder");
    assert_module("/home/user/tool.py", NULL, "tool");
    assert_module("/home/user/tool/__init__.py", NULL, "tool");
    assert_module("tool.pyo", NULL, "tool");
}

static void odd_names_are_names(void **state)
{
    (void)state;
    assert_module("<frozen os>", NULL, "os");
    assert_module("<frozen importlib._bootstrap>", NULL, "importlib._bootstrap");
    assert_module("<template a/b.html>", NULL, "<template a/b.html>");
    assert_module("<frozen ", NULL, "<frozen ");
    assert_module("", NULL, "?");
    assert_module("/", NULL, "?");
    assert_module(".py", NULL, ".py");
    assert_module("__init__.py", NULL, "__init__");
    assert_module("/__init__.py", NULL, "__init__");
}

static void the_outermost_package_ends_at_the_first_dot(void **state)
{
    (void)state;
    assert_int_equal(module_name_top("torch.nn", 8), 5);
    assert_int_equal(module_name_top("torch", 5), 5);
    assert_int_equal(module_name_top("<a.b>", 5), 5);
    assert_int_equal(module_name_top(".a", 2), 2);
}

static void assert_library(const char *path, const char *expected)
{
    cleanup_profile struct profile *profile = NULL;
    cleanup_buffer struct buffer name = {0};
    assert_null(profile_create("app", "app", &profile));
    library_name_append(&name, profile, profile_intern(profile, path, strlen(path)));
    assert_string_equal(buffer_text(&name), expected);
}

static void libraries_have_names(void **state)
{
    (void)state;
    assert_library("/usr/lib/x86_64-linux-gnu/libc.so.6", "libc");
    assert_library("/v/lib/python3.11/site-packages/numpy/core/_umath.cpython-311-x86_64-linux-gnu.so", "numpy");
    assert_library("/v/lib/python3.11/site-packages/numpy.libs/libopenblas64_p-r0.so", "numpy");
    assert_library("/v/lib/python3.11/site-packages/numpy/core/src/umath.c", "numpy");
    assert_library("/v/lib/python3.11/site-packages/_cffi.abi3.so", "_cffi");
    assert_library("/usr/lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so", "_json");
    assert_library("/usr/lib/libpython3.11.so.1.0", "libpython3.11");
    assert_library("/usr/bin/python3.11", "python3.11");
    assert_library("/build/Python-3.11.7/Objects/listobject.c", "python");
    assert_library("/src/fast.c", "");
    assert_library("[vdso]", "[vdso]");
    assert_library("x/.so", ".so");
    assert_library("/site-packages//a.so", "a");
    assert_library("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_files_say_where_the_package_begins),
        cmocka_unit_test(without_them_the_folder_of_packages_does),
        cmocka_unit_test(odd_names_are_names),
        cmocka_unit_test(libraries_have_names),
        cmocka_unit_test(the_outermost_package_ends_at_the_first_dot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
