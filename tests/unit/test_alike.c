/* SPDX-License-Identifier: MIT */
#include "formats/alike.h"

#include "base/cleanup.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct profile *create(void)
{
    struct profile *profile = NULL;
    assert_null(profile_create("app", "python app.py", &profile));
    return profile;
}

/* The name as printf has it from a number; returns the first one's frame. */
static uint32_t add_threads(struct profile *profile, const char *format, uint32_t count)
{
    uint32_t first = PROFILE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        char name[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(name, sizeof(name), format, 0xa00 + i, i);
#pragma GCC diagnostic pop
        uint32_t frame = build_thread(profile, name);
        first = i == 0 ? frame : first;
    }
    return first;
}

static void assert_name(const struct profile *profile, uint32_t frame, const char *expected)
{
    cleanup_buffer struct buffer name = {0};
    alike_append_name(&name, profile, frame, 12);
    assert_string_equal(buffer_text(&name), expected);
}

static void names_differ_in_numbers_alone(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create();
    uint32_t work = add_threads(profile, "thread (%u): Thread-%u (work)", ALIKE_FEW + 1);
    uint32_t other = add_threads(profile, "thread (%u): Thread-%u (other)", ALIKE_FEW + 1);
    uint32_t unnamed = add_threads(profile, "thread (0x%x)", ALIKE_FEW + 1);
    uint32_t few = add_threads(profile, "thread (%u): pool-%u", ALIKE_FEW);
    uint32_t python = build_frame(profile, "thread (1): Thread-1 (work)", "app.py", 1);
    cleanup_alike struct alike alike = {0};
    assert_null(alike_init(&alike, profile));
    for (uint32_t i = 0; i <= ALIKE_FEW; i++) {
        assert_int_equal(alike.first[work + i], work);
        assert_int_equal(alike.first[other + i], other);
        assert_int_equal(alike.first[unnamed + i], unnamed);
    }
    for (uint32_t i = 0; i < ALIKE_FEW; i++)
        assert_int_equal(alike.first[few + i], few + i);
    assert_int_equal(alike.first[python], python);
    assert_int_equal(alike.first[0], 0);
}

static void nothing_but_a_number_is_alike_too(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create();
    uint32_t first = add_threads(profile, "thread (%u)", ALIKE_FEW + 1);
    cleanup_alike struct alike alike = {0};
    assert_null(alike_init(&alike, profile));
    for (uint32_t i = 0; i <= ALIKE_FEW; i++)
        assert_int_equal(alike.first[first + i], first);
}

static void they_are_called_by_what_they_share(void **state)
{
    (void)state;
    cleanup_profile struct profile *profile = create();
    assert_name(profile, build_thread(profile, "thread (106): Thread-17 (work)"), "12 threads: Thread-# (work)");
    assert_name(profile, build_thread(profile, "thread (0x7f3a): pool_0_1"), "12 threads: pool_#_#");
    assert_name(profile, build_thread(profile, "thread: worker 3"), "12 threads: worker #");
    assert_name(profile, build_thread(profile, "thread (12)"), "12 threads");
    assert_name(profile, build_thread(profile, "thread (12"), "12 threads (#");
    assert_name(profile, build_thread(profile, "4"), "12 threads: #");
    assert_name(profile, build_thread(profile, ""), "12 threads: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_differ_in_numbers_alone),
        cmocka_unit_test(nothing_but_a_number_is_alike_too),
        cmocka_unit_test(they_are_called_by_what_they_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
