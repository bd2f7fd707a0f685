/* SPDX-License-Identifier: MIT */
#include "formats/caption.h"

#include "base/utf8.h"
#include "formats/formats.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct format_options options;

static int create_profile(void **state)
{
    return profile_create("app", "python app.py", (struct profile **)state) != NULL;
}

static int destroy_profile(void **state)
{
    profile_destroy(*state);
    return 0;
}

static void assert_fits(const struct profile *profile, uint32_t frame, size_t columns, const char *expected)
{
    __attribute__((cleanup(captions_deinit))) struct captions captions;
    assert_null(captions_init(&captions, profile, frame + 1, &options));
    cleanup_buffer struct buffer out = {0};
    size_t used = captions_fit(&captions, captions_get(&captions, frame), columns, &out);
    assert_string_equal(buffer_text(&out), expected);
    assert_true(used <= columns);
    assert_int_equal(used, utf8_text_columns(buffer_text(&out), out.len));
}

static void the_path_goes_before_the_name(void **state)
{
    struct profile *profile = *state;
    uint32_t frame = build_frame(profile, "get_queryset", "shop/views.py", 12);
    assert_fits(profile, frame, 100, "get_queryset (shop/views.py:12)");
    assert_fits(profile, frame, 31, "get_queryset (shop/views.py:12)");
    assert_fits(profile, frame, 30, "get_queryset (views.py:12)");
    assert_fits(profile, frame, 26, "get_queryset (views.py:12)");
    assert_fits(profile, frame, 25, "get_queryset");
    assert_fits(profile, frame, 12, "get_queryset");
    assert_fits(profile, frame, 11, "get_que…set");
    assert_fits(profile, frame, 9, "get_quer…");
    assert_fits(profile, frame, 3, "ge…");
    assert_fits(profile, frame, 2, "");
    assert_fits(profile, frame, 0, "");
}

static void a_file_without_folders_goes_at_once(void **state)
{
    struct profile *profile = *state;
    uint32_t frame = build_frame(profile, "f/g", "a.py", 1);
    assert_fits(profile, frame, 12, "f/g (a.py:1)");
    assert_fits(profile, frame, 11, "f/g");
    assert_fits(profile, build_thread(profile, "MainThread"), 10, "MainThread");
    assert_fits(profile, build_thread(profile, "MainThread"), 8, "MainThr…");
}

static void the_number_of_a_thread_goes_before_its_name(void **state)
{
    struct profile *profile = *state;
    uint32_t thread = build_thread(profile, "thread (10019): Worker-2");
    assert_fits(profile, thread, 24, "thread (10019): Worker-2");
    assert_fits(profile, thread, 23, "Worker-2");
    assert_fits(profile, thread, 8, "Worker-2");
    assert_fits(profile, thread, 7, "Worker…");
    assert_fits(profile, build_thread(profile, "thread (0x7f00ab): io"), 5, "io");
    assert_fits(profile, build_thread(profile, "thread (12)"), 7, "thread…");
    assert_fits(profile, build_thread(profile, "thread (12): "), 7, "thread…");
    assert_fits(profile, build_thread(profile, "thread (me): a"), 7, "thread…");
    assert_fits(profile, build_process(profile, "process 12: python app.py"), 20, "python app.py");
    uint32_t process = build_process(profile, "process 12: /usr/bin//python3 -m x/y /home/me/a.py /lib/ / 1/2");
    assert_fits(profile, process, 40, "python3 -m x/y a.py lib/ / 1/2");
    assert_fits(profile, process, 29, "python3 -m x/y a.py…ib/ / 1/2");
    assert_fits(profile, build_frame(profile, "thread (12): main", "", 0), 7, "thread…");
}

static void wide_and_combining_characters_are_counted(void **state)
{
    struct profile *profile = *state;
    uint32_t frame = build_thread(profile, "名前名前");
    assert_fits(profile, frame, 8, "名前名前");
    assert_fits(profile, frame, 7, "名前名…");
    assert_fits(profile, frame, 6, "名前…");
    assert_fits(profile, build_thread(profile, "e\u0301e\u0301e\u0301"), 3, "e\u0301e\u0301e\u0301");
    assert_fits(profile, build_thread(profile, "😀😀😀"), 5, "😀😀…");
}

static void captions_are_fit_for_eyes(void **state)
{
    struct profile *profile = *state;
    uint32_t frame = build_frame_bytes(profile, "a\x1b\0\xff", 4, "x/\u202ey.py", 1);
    assert_fits(profile, frame, 80, "a\\x1b\\x00\\xff (x/\\u{202e}y.py:1)");
    assert_fits(profile, frame, 29, "a\\x1b\\x00\\xff");
    assert_fits(profile, frame, 31, "a\\x1b\\x00\\xff (\\u{202e}y.py:1)");
}

static void a_megabyte_of_name_is_cut(void **state)
{
    struct profile *profile = *state;
    enum { LEN = 1 << 20 };
    char *name = malloc(LEN);
    memset(name, 'x', LEN);
    name[LEN - 1] = 'y';
    uint32_t frame = build_frame_bytes(profile, name, LEN, "a.py", 1);
    assert_fits(profile, frame, 10, "xxxxxx…xxy");
    for (size_t i = 0; i + 2 <= LEN; i += 2)
        memcpy(name + i, "\u0301", 2);
    frame = build_frame_bytes(profile, name, LEN, "a.py", 1);
    __attribute__((cleanup(captions_deinit))) struct captions captions;
    assert_null(captions_init(&captions, profile, frame + 1, &options));
    cleanup_buffer struct buffer out = {0};
    captions_fit(&captions, captions_get(&captions, frame), 10, &out);
    assert_in_range(out.len, 1, 200);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_path_goes_before_the_name, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_file_without_folders_goes_at_once, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(the_number_of_a_thread_goes_before_its_name, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(wide_and_combining_characters_are_counted, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(captions_are_fit_for_eyes, create_profile, destroy_profile),
        cmocka_unit_test_setup_teardown(a_megabyte_of_name_is_cut, create_profile, destroy_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
