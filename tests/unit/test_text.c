/* SPDX-License-Identifier: MIT */
#include "python/text.h"

#include "base/buffer.h"
#include "python/layout.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEAP_LEN = 256 * 1024, BIG_HEAP_LEN = BYTES_LENGTH_LIMIT + 64 * 1024 };

static const remote_addr UNMAPPED = 0x123456789000;

static void on_each_version(void (*test)(struct python_heap *heap))
{
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct python_heap *heap = python_heap_create(&layouts[i], HEAP_LEN);
        test(heap);
        python_heap_destroy(heap);
    }
}

static bool has_str_of_2(const struct python_heap *heap)
{
    return heap->layout->container_format == CONTAINERS_2;
}

static void check_text(struct python_heap *heap, remote_addr object, const char *expected, size_t len)
{
    cleanup_buffer struct buffer buffer = {0};
    buffer_append_char(&buffer, '>');
    assert_int_equal(text_read(heap->layout, &heap->fake.memory, object, &buffer), PYTHON_OK);
    assert_int_equal(buffer.len, 1 + len);
    assert_memory_equal(buffer.data + 1, expected, len);
}

static void check_bad(struct python_heap *heap, remote_addr object)
{
    cleanup_buffer struct buffer buffer = {0};
    assert_int_equal(text_read(heap->layout, &heap->fake.memory, object, &buffer), PYTHON_BAD_MEMORY);
    assert_int_equal(buffer.len, 0);
    assert_false(buffer.failed);
}

static void all_kinds(struct python_heap *heap)
{
    static const unsigned char latin[] = {'a', 0x80, 0xe4, 0xff};
    static const uint16_t narrow[] = {'a', 0x7ff, 0x800, 0x20ac, 0xffff};
    static const uint32_t wide[] = {'a', 0xffff, 0x10000, 0x1f600, 0x10ffff};
    check_text(heap, python_heap_text(heap, "abc"), "abc", 3);
    check_text(heap, python_heap_text(heap, "a\x1b\n;<"), "a\x1b\n;<", 5);
    check_text(heap, python_heap_str(heap, "a\0b", 3, 1, true), "a\0b", 3);
    check_text(heap, python_heap_str(heap, latin, 4, 1, false), "a\xc2\x80\xc3\xa4\xc3\xbf", 7);
    check_text(heap, python_heap_str(heap, narrow, 5, 2, false), "a\xdf\xbf\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf", 12);
    check_text(heap, python_heap_str(heap, wide, 5, 4, false),
               "a\xef\xbf\xbf\xf0\x90\x80\x80\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", 16);
}

static void strs_of_all_widths_become_utf8(void **state)
{
    (void)state;
    on_each_version(all_kinds);
}

static void odd_characters(struct python_heap *heap)
{
    static const uint16_t lone[] = {0xd800, 'x', 0xdfff};
    static const uint32_t beyond[] = {0x110000, 0xffffffff, 0xd800};
    check_text(heap, python_heap_str(heap, lone, 3, 2, false), "\xed\xa0\x80x\xed\xbf\xbf", 7);
    check_text(heap, python_heap_str(heap, beyond, 3, 4, false), "\xef\xbf\xbd\xef\xbf\xbd\xed\xa0\x80", 9);
}

static void lone_surrogates_pass_and_what_is_no_character_is_replaced(void **state)
{
    (void)state;
    on_each_version(odd_characters);
}

static void legacy_strs(struct python_heap *heap)
{
    const struct layout *layout = heap->layout;
    static const uint16_t narrow[] = {'x', 0x20ac};
    if (has_str_of_2(heap))
        return;
    remote_addr object = python_heap_str(heap, "", 0, 8, false);
    remote_addr data = python_heap_alloc(heap, sizeof(narrow));
    memcpy(python_heap_bytes_at(heap, data), narrow, sizeof(narrow));
    python_heap_put_u64(heap, object + layout->text.length, 2);
    python_heap_put_u64(heap, object + layout->text.compact_data, data);
    python_heap_put_u32(heap, object + layout->text.state, 2U << layout->text.kind_shift);
    check_text(heap, object, "x\xe2\x82\xac", 4);
    static const remote_addr pointers[] = {0, 0x123456789000, UINT64_MAX, UINT64_MAX - 1};
    for (size_t i = 0; i < 4; i++) {
        python_heap_put_u64(heap, object + layout->text.compact_data, pointers[i]);
        check_bad(heap, object);
    }
    python_heap_put_u64(heap, object + layout->text.compact_data, data);
    python_heap_put_u32(heap, object + layout->text.state,
                        (1U | 1U << 4) << layout->text.kind_shift); /* ASCII, not compact: a subclass */
    check_text(heap, object, "x\0", 2);
}

static void strs_that_point_to_their_characters_are_followed(void **state)
{
    (void)state;
    on_each_version(legacy_strs);
}

static void unknown_kinds(struct python_heap *heap)
{
    if (has_str_of_2(heap))
        return;
    remote_addr object = python_heap_text(heap, "abc");
    for (uint32_t kind = 0; kind < 8; kind++) {
        python_heap_put_u32(heap, object + heap->layout->text.state, (kind | 3U << 3) << heap->layout->text.kind_shift);
        if (kind != 1 && kind != 2 && kind != 4)
            check_bad(heap, object);
    }
}

static void a_width_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    on_each_version(unknown_kinds);
}

static void lengths(struct python_heap *heap)
{
    enum { ROOM = 2 * TEXT_LENGTH_LIMIT };
    char *text = malloc(ROOM + 4);
    memset(text, 'y', ROOM);
    remote_addr object = python_heap_str(heap, text, ROOM, 1, true);
    static const uint64_t counts[] = {0, 1, TEXT_LENGTH_LIMIT - 1, TEXT_LENGTH_LIMIT};
    for (size_t i = 0; i < 4; i++) {
        python_heap_put_u64(heap, object + heap->layout->text.length, counts[i]);
        check_text(heap, object, text, counts[i]);
    }
    static const uint64_t overlong[] = {TEXT_LENGTH_LIMIT + 1, 1 << 30, UINT64_C(1) << 62, UINT64_MAX};
    memcpy(text + TEXT_LENGTH_LIMIT, "\xe2\x80\xa6", 4);
    for (size_t i = 0; i < 4; i++) {
        python_heap_put_u64(heap, object + heap->layout->text.length, overlong[i]);
        check_text(heap, object, text, TEXT_LENGTH_LIMIT + 3);
    }
    free(text);
}

static void a_str_beyond_the_limit_is_cut(void **state)
{
    (void)state;
    on_each_version(lengths);
}

static void wide_and_long(struct python_heap *heap)
{
    uint32_t *characters = malloc((TEXT_LENGTH_LIMIT + 1) * sizeof(*characters));
    for (size_t i = 0; i <= TEXT_LENGTH_LIMIT; i++)
        characters[i] = 0x1f600;
    cleanup_buffer struct buffer buffer = {0};
    remote_addr object = python_heap_str(heap, characters, TEXT_LENGTH_LIMIT + 1, 4, false);
    assert_int_equal(text_read(heap->layout, &heap->fake.memory, object, &buffer), PYTHON_OK);
    assert_int_equal(buffer.len, 4 * TEXT_LENGTH_LIMIT + 3);
    free(characters);
}

static void a_cut_str_of_the_widest_characters_fits(void **state)
{
    (void)state;
    on_each_version(wide_and_long);
}

static void unmapped(struct python_heap *heap)
{
    check_bad(heap, 0);
    check_bad(heap, UNMAPPED);
    check_bad(heap, UINT64_MAX);
    check_bad(heap, UINT64_MAX - 50);
    remote_addr object = python_heap_text(heap, "abc");
    python_heap_put_u64(heap, object + heap->layout->text.length, 4000);
    heap->fake.ranges[0].len = object + 64 - heap->fake.ranges[0].address;
    check_bad(heap, object);
}

static void a_str_that_is_not_mapped_is_told(void **state)
{
    (void)state;
    on_each_version(unmapped);
}

static void comparisons(struct python_heap *heap)
{
    const struct layout *layout = heap->layout;
    struct memory *memory = &heap->fake.memory;
    remote_addr object = python_heap_text(heap, "_active");
    assert_true(text_equals(layout, memory, object, "_active"));
    assert_false(text_equals(layout, memory, object, "_activ"));
    assert_false(text_equals(layout, memory, object, "_active_"));
    assert_false(text_equals(layout, memory, object, "_activE"));
    assert_false(text_equals(layout, memory, UNMAPPED, "_active"));
    assert_true(text_equals(layout, memory, python_heap_text(heap, ""), ""));
    assert_false(text_equals(layout, memory, python_heap_str(heap, u"_active", 7, 2, false), "_active"));
    object = python_heap_str(heap, u"\u00e9\u8a9e_A", 4, 2, false);
    assert_true(text_equals(layout, memory, object, "\xc3\xa9\xe8\xaa\x9e_A"));
    assert_false(text_equals(layout, memory, object, "\xc3\xa9\xe8\xaa\x9e_B"));
    assert_false(text_equals(layout, memory, object, "\xc3\xa9"));
    assert_false(text_equals(layout, memory, python_heap_text(heap, ""), "\xc3\xa9"));
    assert_false(text_equals(layout, memory, UNMAPPED, "\xc3\xa9"));
    object = python_heap_text(heap, "_active");
    python_heap_put_u64(heap, object + layout->text.length, UINT64_MAX);
    assert_false(text_equals(layout, memory, object, "_active"));
    char longest[66];
    memset(longest, 'z', sizeof(longest));
    longest[65] = '\0';
    assert_false(text_equals(layout, memory, python_heap_text(heap, longest), longest));
    longest[64] = '\0';
    assert_true(text_equals(layout, memory, python_heap_text(heap, longest), longest));
}

static void a_str_is_compared_with_ascii_text(void **state)
{
    (void)state;
    on_each_version(comparisons);
}

static enum python_status read_bytes(struct python_heap *heap, remote_addr object, struct buffer *buffer)
{
    return bytes_read(heap->layout, &heap->fake.memory, object, buffer);
}

static void bytes_objects(struct python_heap *heap)
{
    cleanup_buffer struct buffer buffer = {0};
    assert_int_equal(read_bytes(heap, python_heap_bytes(heap, "a\0\xff", 3), &buffer), PYTHON_OK);
    assert_int_equal(read_bytes(heap, python_heap_bytes(heap, "", 0), &buffer), PYTHON_OK);
    assert_int_equal(read_bytes(heap, python_heap_bytes(heap, "z", 1), &buffer), PYTHON_OK);
    assert_int_equal(buffer.len, 4);
    assert_memory_equal(buffer.data, "a\0\xffz", 5);
    remote_addr object = python_heap_bytes(heap, "abc", 3);
    static const uint64_t counts[] = {BYTES_LENGTH_LIMIT, BYTES_LENGTH_LIMIT + 1, UINT64_C(1) << 62, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        python_heap_put_u64(heap, object + heap->layout->bytes.length, counts[i]);
        assert_int_equal(read_bytes(heap, object, &buffer), PYTHON_BAD_MEMORY);
    }
    assert_int_equal(read_bytes(heap, UNMAPPED, &buffer), PYTHON_BAD_MEMORY);
    assert_int_equal(read_bytes(heap, UINT64_MAX, &buffer), PYTHON_BAD_MEMORY);
    assert_int_equal(buffer.len, 4);
    assert_false(buffer.failed);
}

static void bytes_are_appended_and_absurd_lengths_refused(void **state)
{
    (void)state;
    on_each_version(bytes_objects);
}

static void bytes_up_to_the_limit_are_read(void **state)
{
    (void)state;
    struct python_heap *heap = python_heap_create(layout_of_version(3, 12, false), BIG_HEAP_LEN);
    cleanup_buffer struct buffer buffer = {0};
    remote_addr object = python_heap_alloc(heap, BYTES_LENGTH_LIMIT + 64);
    python_heap_put_u64(heap, object + heap->layout->bytes.length, BYTES_LENGTH_LIMIT);
    assert_int_equal(read_bytes(heap, object, &buffer), PYTHON_OK);
    assert_int_equal(buffer.len, BYTES_LENGTH_LIMIT);
    python_heap_put_u64(heap, object + heap->layout->bytes.length, BYTES_LENGTH_LIMIT + 1);
    assert_int_equal(read_bytes(heap, object, &buffer), PYTHON_BAD_MEMORY);
    python_heap_destroy(heap);
}

/* A heap of 2.7 whose unicode objects have characters of so many bytes. */
static struct python_heap *make_heap_2(uint8_t wide_len)
{
    struct python_heap *heap = python_heap_create(layout_of_version(2, 7, false), HEAP_LEN);
    heap->layout->text.wide_len = wide_len;
    return heap;
}

static void surrogates_of_a_narrow_build_are_joined(void **state)
{
    (void)state;
    static const uint16_t pairs[] = {'a', 0xd83d, 0xde00, 0x20ac, 0xd800, 0xdc00, 0xdbff, 0xdfff};
    static const uint16_t lone[] = {0xdc00, 0xd800, 'x', 0xd800, 0xd83d, 0xde00, 0xdfff, 0xdbff};
    struct python_heap *heap = make_heap_2(2);
    check_text(heap, python_heap_str(heap, pairs, 8, 2, false),
               "a\xf0\x9f\x98\x80\xe2\x82\xac\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 16);
    check_text(heap, python_heap_str(heap, lone, 8, 2, false),
               "\xed\xb0\x80\xed\xa0\x80x\xed\xa0\x80\xf0\x9f\x98\x80\xed\xbf\xbf\xed\xaf\xbf", 20);
    check_text(heap, python_heap_str(heap, pairs, 2, 2, false), "a\xed\xa0\xbd", 4); /* cut in the middle of a pair */
    python_heap_destroy(heap);
}

static void surrogates_of_a_wide_build_are_not_joined(void **state)
{
    (void)state;
    static const uint32_t pair[] = {0xd83d, 0xde00};
    struct python_heap *heap = make_heap_2(4);
    check_text(heap, python_heap_str(heap, pair, 2, 4, false), "\xed\xa0\xbd\xed\xb8\x80", 6);
    python_heap_destroy(heap);
}

static void a_pair_at_the_limit_does_no_harm(void **state)
{
    (void)state;
    struct python_heap *heap = make_heap_2(2);
    uint16_t *characters = malloc((TEXT_LENGTH_LIMIT + 1) * sizeof(*characters));
    for (size_t i = 0; i <= TEXT_LENGTH_LIMIT; i++)
        characters[i] = i % 2 ? 0xd83d : 0xde00;
    cleanup_buffer struct buffer buffer = {0};
    remote_addr object = python_heap_str(heap, characters, TEXT_LENGTH_LIMIT + 1, 2, false);
    assert_int_equal(text_read(heap->layout, &heap->fake.memory, object, &buffer), PYTHON_OK);
    assert_int_equal(buffer.len, 3 + 4 * (TEXT_LENGTH_LIMIT - 2) / 2 + 3 + 3);
    free(characters);
    python_heap_destroy(heap);
}

static void the_bytes_of_a_str_of_2_are_copied_as_they_are(void **state)
{
    (void)state;
    struct python_heap *heap = make_heap_2(4);
    check_text(heap, python_heap_bytes(heap, "a\xff\0\xc3\xa4", 5), "a\xff\0\xc3\xa4", 5);
    python_heap_destroy(heap);
}

static void what_is_no_text_in_2_is_refused(void **state)
{
    (void)state;
    static const remote_addr pointers[] = {0, 8, 0x123456789000, UINT64_MAX, UINT64_MAX - 170};
    struct python_heap *heap = make_heap_2(4);
    const struct layout *layout = heap->layout;
    check_bad(heap, python_heap_int(heap, 5));
    remote_addr text = python_heap_text(heap, "abc"), wide = python_heap_str(heap, U"abc", 3, 4, false);
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        python_heap_put_u64(heap, text + layout->object.type, pointers[i]);
        check_bad(heap, text);
        python_heap_put_u64(heap, wide + layout->text.compact_data, pointers[i]);
        check_bad(heap, wide);
    }
    python_heap_destroy(heap);
    heap = make_heap_2(3); /* a width that does not exist */
    check_bad(heap, python_heap_str(heap, "abc", 3, 1, false));
    python_heap_destroy(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strs_of_all_widths_become_utf8),
        cmocka_unit_test(lone_surrogates_pass_and_what_is_no_character_is_replaced),
        cmocka_unit_test(strs_that_point_to_their_characters_are_followed),
        cmocka_unit_test(a_width_that_does_not_exist_is_refused),
        cmocka_unit_test(a_str_beyond_the_limit_is_cut),
        cmocka_unit_test(a_cut_str_of_the_widest_characters_fits),
        cmocka_unit_test(a_str_that_is_not_mapped_is_told),
        cmocka_unit_test(a_str_is_compared_with_ascii_text),
        cmocka_unit_test(bytes_are_appended_and_absurd_lengths_refused),
        cmocka_unit_test(bytes_up_to_the_limit_are_read),
        cmocka_unit_test(surrogates_of_a_narrow_build_are_joined),
        cmocka_unit_test(surrogates_of_a_wide_build_are_not_joined),
        cmocka_unit_test(a_pair_at_the_limit_does_no_harm),
        cmocka_unit_test(the_bytes_of_a_str_of_2_are_copied_as_they_are),
        cmocka_unit_test(what_is_no_text_in_2_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
