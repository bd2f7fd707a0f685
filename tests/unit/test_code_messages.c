/* SPDX-License-Identifier: MIT */
#include "native/code_messages.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* An answer of so many places, each with the same texts. */
static void make_answer(struct buffer *out, uint32_t count)
{
    const struct code_answer head = {.start = 0x1000, .len = 16, .is_found = 1, .count = count};
    buffer_append(out, &head, sizeof(head));
    buffer_append(out, "_Z1fv\0/src", sizeof("_Z1fv\0/src"));
    for (uint32_t i = 0; i < count; i++) {
        const int32_t line = (int32_t)i + 1;
        buffer_append(out, &line, sizeof(line));
        buffer_append(out, "\1f()\0f.cc", sizeof("\1f()\0f.cc"));
    }
}

static void an_answer_is_read(void **state)
{
    (void)state;
    cleanup_buffer struct buffer answer = {0};
    struct code_description description;
    make_answer(&answer, 2);
    assert_true(code_answer_read(answer.data, answer.len, &description));
    assert_int_equal(description.function.address, 0x1000);
    assert_int_equal(description.function.len, 16);
    assert_true(description.is_found);
    assert_string_equal(description.symbol, "_Z1fv");
    assert_string_equal(description.folder, "/src");
    assert_int_equal(description.count, 2);
    assert_string_equal(description.places[1].name, "f()");
    assert_string_equal(description.places[1].file, "f.cc");
    assert_int_equal(description.places[1].line, 2);
    assert_true(description.places[1].is_of_cython);
}

static void an_answer_that_ends_early_is_none(void **state)
{
    (void)state;
    cleanup_buffer struct buffer answer = {0};
    struct code_description description = {.count = 77};
    make_answer(&answer, 2);
    for (size_t len = 0; len < answer.len; len++)
        assert_false(code_answer_read(answer.data, len, &description));
    assert_int_equal(description.count, 77);
}

static void there_is_at_least_one_place_and_not_too_many(void **state)
{
    (void)state;
    static const struct {
        uint32_t count;
        bool is_good;
    } cases[] = {{0, false}, {1, true}, {DEBUG_PLACE_LIMIT, true}, {DEBUG_PLACE_LIMIT + 1, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_buffer struct buffer answer = {0};
        struct code_description description;
        make_answer(&answer, cases[i].count);
        assert_int_equal(code_answer_read(answer.data, answer.len, &description), cases[i].is_good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_read),
        cmocka_unit_test(an_answer_that_ends_early_is_none),
        cmocka_unit_test(there_is_at_least_one_place_and_not_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
