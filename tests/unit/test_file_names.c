/* SPDX-License-Identifier: MIT */
#include "sampler/file_names.h"

#include "profile_builder.h"
#include "sampler/short_path.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void native_files_have_short_names(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool is_source;
        const char *expected;
    } cases[] = {
        {"/usr/lib/x86_64-linux-gnu/libc.so.6", false, "libc.so.6"},
        {"/v/torch/lib/libtorch_cpu.so.1.13", false, "libtorch_cpu.so.1.13"},
        {"[vdso]", false, "[vdso]"},
        {"", false, ""},
        {"/", false, ""},
        {"/build/python3.11/Objects/listobject.c", true, "Objects/listobject.c"},
        {"../sysdeps/read.c", true, "sysdeps/read.c"},
        {"src/a.c", true, "src/a.c"},
        {"/a.c", true, "a.c"},
        {"a.c", true, "a.c"},
        {"//a.c", true, "/a.c"},
        {"", true, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t start = short_path_start_native(cases[i].path, strlen(cases[i].path), cases[i].is_source);
        assert_string_equal(cases[i].path + start, cases[i].expected);
    }
}

static const char *short_name(const struct profile *profile, uint32_t frame)
{
    size_t len;
    return profile_string(profile, profile_short_file(profile, profile_frame(profile, frame)->file), &len);
}

/* No process is asked for those of native frames. */
static void a_profile_gets_the_names_of_its_native_files(void **state)
{
    (void)state;
    struct profile *profile = NULL;
    struct file_names names = {0};
    assert_null(profile_create("app", "python app.py", &profile));
    uint32_t library = build_native(profile, "read", "/usr/lib/libc.so.6", 0);
    uint32_t source = build_native(profile, "step", "/home/user/src/fast.c", 12);
    build_kernel(profile, "read");
    assert_null(file_names_collect(&names, profile));
    assert_int_equal(names.count, 2);
    file_names_find(&names, NULL);
    assert_null(file_names_set(&names, profile));
    assert_string_equal(short_name(profile, library), "libc.so.6");
    assert_string_equal(short_name(profile, source), "src/fast.c");
    assert_null(file_names_collect(&names, profile));
    assert_int_equal(names.count, 0);
    file_names_deinit(&names);
    profile_destroy(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native_files_have_short_names),
        cmocka_unit_test(a_profile_gets_the_names_of_its_native_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
