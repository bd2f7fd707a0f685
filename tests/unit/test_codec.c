/* SPDX-License-Identifier: MIT */
#include "profile/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct decoder decoder_for(const struct buffer *encoded)
{
    const unsigned char *begin = (const unsigned char *)buffer_text(encoded);
    return (struct decoder){.at = begin, .end = begin + encoded->len};
}

static void numbers_come_back(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
    static const int64_t signed_numbers[] = {0, -1, 1, -64, 64, INT64_MAX, INT64_MIN};
    cleanup_buffer struct buffer out = {0};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        encode_number(&out, numbers[i]);
        encode_signed(&out, signed_numbers[i]);
    }
    struct decoder decoder = decoder_for(&out);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_true(decode_number(&decoder) == numbers[i]);
        assert_true(decode_signed(&decoder) == signed_numbers[i]);
    }
    assert_false(decoder.has_failed);
    assert_ptr_equal(decoder.at, decoder.end);
}

static void texts_come_back(void **state)
{
    (void)state;
    cleanup_buffer struct buffer out = {0};
    encode_bytes(&out, "a\0b", 3);
    encode_bytes(&out, "", 0);
    struct decoder decoder = decoder_for(&out);
    size_t len;
    assert_memory_equal(decode_bytes(&decoder, &len), "a\0b", 3);
    assert_int_equal(len, 3);
    decode_bytes(&decoder, &len);
    assert_int_equal(len, 0);
    assert_false(decoder.has_failed);
}

/* A text that is one byte longer than what is left: the byte of its length is not part of that. */
static void a_text_that_is_too_long_is_none(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {3, 'a', 'b'};
    struct decoder decoder = {.at = bytes, .end = bytes + sizeof(bytes)};
    size_t len;
    decode_bytes(&decoder, &len);
    assert_int_equal(len, 0);
    assert_true(decoder.has_failed);
    assert_ptr_equal(decoder.at, decoder.end);
}

static void a_number_that_does_not_end_is_none(void **state)
{
    (void)state;
    static const unsigned char cut[] = {0x80, 0x80},
                               endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
    struct decoder first = {.at = cut, .end = cut + sizeof(cut)};
    struct decoder second = {.at = endless, .end = endless + sizeof(endless)};
    assert_int_equal(decode_number(&first), 0);
    assert_int_equal(decode_number(&second), 0);
    assert_true(first.has_failed);
    assert_true(second.has_failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(a_text_that_is_too_long_is_none),
        cmocka_unit_test(a_number_that_does_not_end_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
