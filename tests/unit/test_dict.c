/* SPDX-License-Identifier: MIT */
#include "python/dict.h"

#include "python/layout.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { HEAP_LEN = 1024 * 1024, DICT_LEN = 64, ROOM = 256 /* of a keys object, in entries */ };

/* CPython 3.11 Include/internal/pycore_dict.h: DictKeysKind. To 3.10 all tables are of the general kind. */
enum kind { GENERAL = 0, UNICODE = 1, SPLIT = 2 };

static const remote_addr UNMAPPED = 0x123456789000;

struct dict {
    remote_addr address, keys, first_entry;
    size_t entry_len;
};

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

static bool has_dict_of_2(const struct python_heap *heap)
{
    return heap->layout->container_format == CONTAINERS_2;
}

/* In 2.7, a dict of one table, whose entries can be anywhere. */
static struct dict make_dict_2(struct python_heap *heap)
{
    struct dict dict = {.address = python_heap_alloc(heap, DICT_LEN), .entry_len = 24};
    dict.first_entry = python_heap_alloc(heap, ROOM * dict.entry_len);
    python_heap_put_u64(heap, dict.address + heap->layout->dict.table, dict.first_entry);
    python_heap_put_u64(heap, dict.address + heap->layout->dict.mask, ROOM - 1);
    return dict;
}

/* An empty table with room for ROOM entries; 256 indices need one byte each from 3.11 on, and two before. */
static struct dict make_dict(struct python_heap *heap, enum kind kind)
{
    const struct layout *layout = heap->layout;
    bool has_kind = layout->dict.kind != LAYOUT_NONE;
    if (has_dict_of_2(heap))
        return make_dict_2(heap);
    struct dict dict = {.address = python_heap_alloc(heap, DICT_LEN)};
    dict.entry_len = has_kind && kind != GENERAL ? 16 : 24;
    dict.keys = python_heap_alloc(heap, layout->dict.indices + 2 * ROOM + ROOM * dict.entry_len);
    dict.first_entry = dict.keys + layout->dict.indices + (has_kind ? ROOM : 2 * ROOM);
    if (has_kind) {
        python_heap_put_u8(heap, dict.keys + layout->dict.log2_index_bytes, 8);
        python_heap_put_u8(heap, dict.keys + layout->dict.kind, kind);
    } else {
        python_heap_put_u64(heap, dict.keys + layout->dict.size, ROOM);
    }
    python_heap_put_u64(heap, dict.address + layout->dict.keys, dict.keys);
    if (kind == SPLIT)
        python_heap_put_u64(heap, dict.address + layout->dict.values,
                            python_heap_alloc(heap, layout->dict.first_value + ROOM * 8));
    return dict;
}

static void put_entry(struct python_heap *heap, const struct dict *dict, unsigned index, remote_addr key,
                      remote_addr value)
{
    remote_addr values, end = dict->first_entry + (index + 1) * dict->entry_len;
    if (has_dict_of_2(heap)) {
        python_heap_put_u64(heap, end - 16, key);
        python_heap_put_u64(heap, end - 8, value);
        return;
    }
    memcpy(&values, python_heap_bytes_at(heap, dict->address + heap->layout->dict.values), sizeof(values));
    python_heap_put_u64(heap, end - 16, key);
    if (values)
        python_heap_put_u64(heap, values + heap->layout->dict.first_value + index * 8ULL, value);
    else
        python_heap_put_u64(heap, end - 8, value);
    python_heap_put_u64(heap, dict->keys + heap->layout->dict.entry_count, index + 1);
}

static bool find_text(struct python_heap *heap, remote_addr dict, const char *key, remote_addr *ret)
{
    struct dict_budget budget = {UINT64_MAX, UINT64_MAX, 0};
    return dict_find_text(heap->layout, &heap->fake.memory, dict, key, &budget, ret);
}

static bool find_number(struct python_heap *heap, remote_addr dict, uint64_t key, remote_addr *ret)
{
    struct dict_budget budget = {UINT64_MAX, UINT64_MAX, 0};
    return dict_find_number(heap->layout, &heap->fake.memory, dict, key, &budget, ret);
}

static void texts(struct python_heap *heap)
{
    for (int kind = GENERAL; kind <= SPLIT; kind++) {
        struct dict dict = make_dict(heap, (enum kind)kind);
        for (unsigned i = 0; i < 200; i++) {
            char key[16];
            snprintf(key, sizeof(key), "key%u", i);
            put_entry(heap, &dict, i, i % 7 == 3 ? 0 : python_heap_text(heap, key), 1000 + i);
        }
        remote_addr value = 42;
        assert_false(find_text(heap, dict.address, "key", &value));
        assert_false(find_text(heap, dict.address, "key3", &value));
        assert_false(find_text(heap, dict.address, "key200", &value));
        assert_int_equal(value, 42);
        assert_true(find_text(heap, dict.address, "key0", &value));
        assert_int_equal(value, 1000);
        assert_true(find_text(heap, dict.address, "key63", &value));
        assert_int_equal(value, 1063);
        assert_true(find_text(heap, dict.address, "key198", &value));
        assert_int_equal(value, 1198);
    }
}

static void texts_are_found_in_tables_of_every_kind(void **state)
{
    (void)state;
    on_each_version(texts);
}

static void numbers(struct python_heap *heap)
{
    static const uint64_t keys[] = {1, 5, 0x3fffffff, 0x40000000, 0x7f1234567000, UINT64_MAX};
    struct dict dict = make_dict(heap, GENERAL);
    remote_addr value;
    for (unsigned i = 0; i < 6; i++)
        put_entry(heap, &dict, i, python_heap_int(heap, keys[i]), 1000 + i);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(find_number(heap, dict.address, keys[i], &value));
        assert_int_equal(value, 1000 + i);
    }
    assert_false(find_number(heap, dict.address, 2, &value));
    assert_false(find_number(heap, dict.address, 0, &value));
}

static void numbers_of_one_to_three_digits_are_found(void **state)
{
    (void)state;
    on_each_version(numbers);
}

static void deleted_values(struct python_heap *heap)
{
    for (int kind = GENERAL; kind <= SPLIT; kind++) {
        struct dict dict = make_dict(heap, (enum kind)kind);
        remote_addr value = 42;
        assert_false(find_text(heap, dict.address, "gone", &value));
        put_entry(heap, &dict, 0, python_heap_text(heap, "gone"), 0);
        assert_false(find_text(heap, dict.address, "gone", &value));
    }
}

static void a_key_without_a_value_is_none(void **state)
{
    (void)state;
    on_each_version(deleted_values);
}

static void hostile_sizes(struct python_heap *heap)
{
    const struct layout *layout = heap->layout;
    static const uint64_t sizes[] = {UINT64_MAX, UINT64_C(1) << 62, UINT64_C(1) << 40, UINT64_MAX / 24, 1 << 30};
    remote_addr value;
    if (has_dict_of_2(heap))
        return;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct dict dict = make_dict(heap, GENERAL);
        put_entry(heap, &dict, 0, python_heap_text(heap, "here"), 7);
        python_heap_put_u64(heap, dict.keys + layout->dict.entry_count, sizes[i]);
        find_text(heap, dict.address, "nowhere", &value);
        if (layout->dict.kind == LAYOUT_NONE)
            python_heap_put_u64(heap, dict.keys + layout->dict.size, sizes[i]);
        else
            python_heap_put_u8(heap, dict.keys + layout->dict.log2_index_bytes, 40 + (unsigned)i * 50);
        assert_false(find_text(heap, dict.address, "nowhere", &value));
    }
}

static void absurd_sizes_do_no_harm(void **state)
{
    (void)state;
    on_each_version(hostile_sizes);
}

static void bad_pointers(struct python_heap *heap)
{
    const struct layout *layout = heap->layout;
    static const remote_addr pointers[] = {8, 0x123456789000, UINT64_MAX, UINT64_MAX - 20};
    remote_addr value;
    for (size_t i = 0; i < 4; i++) {
        assert_false(find_text(heap, pointers[i], "key", &value));
        struct dict dict = make_dict(heap, SPLIT);
        put_entry(heap, &dict, 0, pointers[i], 7);
        put_entry(heap, &dict, 1, python_heap_text(heap, "key"), 8);
        assert_true(find_text(heap, dict.address, "key", &value));
        assert_int_equal(value, 8);
        if (!has_dict_of_2(heap)) {
            python_heap_put_u64(heap, dict.address + layout->dict.values, pointers[i]);
            assert_false(find_text(heap, dict.address, "key", &value));
        }
        uint16_t table = has_dict_of_2(heap) ? layout->dict.table : layout->dict.keys;
        python_heap_put_u64(heap, dict.address + table, pointers[i]);
        assert_false(find_text(heap, dict.address, "key", &value));
    }
    assert_false(find_text(heap, 0, "key", &value));
}

static void pointers_to_nowhere_do_no_harm(void **state)
{
    (void)state;
    on_each_version(bad_pointers);
}

static void hostile_numbers(struct python_heap *heap)
{
    if (has_dict_of_2(heap))
        return;
    const struct layout *layout = heap->layout;
    struct dict dict = make_dict(heap, GENERAL);
    remote_addr value, key = python_heap_int(heap, 5);
    put_entry(heap, &dict, 0, key, 7);
    static const uint64_t counts[] = {0, 4, UINT64_C(1) << 60, UINT64_MAX >> 3};
    for (size_t i = 0; i < 4; i++) {
        if (layout->integer.tag != LAYOUT_NONE)
            python_heap_put_u64(heap, key + layout->integer.tag, counts[i] << 3);
        else
            python_heap_put_u64(heap, key + layout->object.var_size, counts[i]);
        assert_false(find_number(heap, dict.address, 5, &value));
    }
    put_entry(heap, &dict, 0, UNMAPPED, 7);
    assert_false(find_number(heap, dict.address, 5, &value));
}

static void numbers_of_absurd_length_are_not_found(void **state)
{
    (void)state;
    on_each_version(hostile_numbers);
}

/* An instance of a class with an attribute "_name" of value 77, kept in the way of the version. */
static remote_addr make_instance(struct python_heap *heap, remote_addr type, bool has_values)
{
    const struct layout *layout = heap->layout;
    remote_addr object = python_heap_alloc(heap, 512) + 64;
    struct dict dict = make_dict(heap, SPLIT);
    put_entry(heap, &dict, 0, python_heap_text(heap, "_name"), 77);
    remote_addr values = 0;
    python_heap_put_u64(heap, object + layout->object.type, type);
    if (layout->type.cached_keys != LAYOUT_NONE) {
        memcpy(&values, python_heap_bytes_at(heap, dict.address + layout->dict.values), sizeof(values));
        python_heap_put_u64(heap, type + layout->type.cached_keys, dict.keys);
    }
    python_heap_put_u64(heap, type + layout->type.basic_size, 48);
    python_heap_put_u64(heap, type + layout->type.dict_offset, 16);
    python_heap_put_u64(heap, type + layout->type.flags, 1 << 4 | 1 << 2);
    switch (layout->attribute_format) {
    case ATTRIBUTES_DICT:
        python_heap_put_u64(heap, object + 16, dict.address);
        break;
    case ATTRIBUTES_SPLIT_WORDS:
        python_heap_put_u64(heap, object - (has_values ? 32 : 24), has_values ? values : dict.address);
        break;
    case ATTRIBUTES_TAGGED_WORD:
        python_heap_put_u64(heap, object - 24, has_values ? values - 1 : dict.address);
        break;
    case ATTRIBUTES_INLINE_VALUES:
        if (has_values)
            python_heap_put_u64(heap, object + 48 + layout->dict.first_value, 77);
        else
            python_heap_put_u64(heap, object - layout->type.managed_dict, dict.address);
        break;
    }
    return object;
}

static void attributes(struct python_heap *heap)
{
    const struct layout *layout = heap->layout;
    struct memory *memory = &heap->fake.memory;
    remote_addr type = python_heap_alloc(heap, 1024), value = 0;
    for (int has_values = 0; has_values <= 1; has_values++) {
        remote_addr object = make_instance(heap, type, has_values);
        assert_true(instance_find_attribute(layout, memory, object, "_name", &value));
        assert_int_equal(value, 77);
        assert_false(instance_find_attribute(layout, memory, object, "_other", &value));
        python_heap_put_u64(heap, object + layout->object.type, UNMAPPED);
        assert_false(instance_find_attribute(layout, memory, object, "_name", &value));
    }
    assert_false(instance_find_attribute(layout, memory, UNMAPPED, "_name", &value));
    assert_false(instance_find_attribute(layout, memory, 0, "_name", &value));
    remote_addr object = make_instance(heap, type, false);
    python_heap_put_u64(heap, type + layout->type.flags, 0);
    python_heap_put_u64(heap, type + layout->type.dict_offset, UINT64_MAX - 7);
    assert_false(instance_find_attribute(layout, memory, object, "_name", &value));
}

static void attributes_are_found_in_a_dict_and_in_values(void **state)
{
    (void)state;
    on_each_version(attributes);
}

static void signs(struct python_heap *heap)
{
    if (has_dict_of_2(heap))
        return;
    const struct layout *layout = heap->layout;
    struct dict dict = make_dict(heap, GENERAL);
    remote_addr value, key = python_heap_int(heap, 5);
    put_entry(heap, &dict, 0, key, 7);
    if (layout->integer.tag != LAYOUT_NONE)
        python_heap_put_u64(heap, key + layout->integer.tag, 1 << 3 | 2);
    else
        python_heap_put_u64(heap, key + layout->object.var_size, UINT64_MAX);
    assert_false(find_number(heap, dict.address, 5, &value));
}

static void a_negative_number_is_not_taken_for_the_positive_one(void **state)
{
    (void)state;
    on_each_version(signs);
}

static void overflow(struct python_heap *heap)
{
    if (has_dict_of_2(heap))
        return;
    struct dict dict = make_dict(heap, GENERAL);
    remote_addr value, key = python_heap_int(heap, UINT64_MAX);
    put_entry(heap, &dict, 0, key, 7);
    const uint32_t digits[] = {5, 0, 16}; /* 2^64 + 5 */
    memcpy(python_heap_bytes_at(heap, key + heap->layout->integer.digits), digits, sizeof(digits));
    assert_false(find_number(heap, dict.address, 5, &value));
}

static void a_number_beyond_64_bits_is_not_taken_for_its_lower_half(void **state)
{
    (void)state;
    on_each_version(overflow);
}

static void tables_of_2_with_absurd_masks_do_no_harm(void **state)
{
    (void)state;
    static const uint64_t masks[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 62, 1 << 20, 1 << 30};
    struct python_heap *heap = python_heap_create(layout_of_version(2, 7, false), HEAP_LEN);
    remote_addr value;
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        struct dict dict = make_dict(heap, GENERAL);
        put_entry(heap, &dict, 70, python_heap_text(heap, "here"), 7);
        python_heap_put_u64(heap, dict.address + heap->layout->dict.mask, masks[i]);
        assert_true(find_text(heap, dict.address, "here", &value));
        assert_int_equal(value, 7);
        assert_false(find_text(heap, dict.address, "nowhere", &value));
        python_heap_put_u64(heap, dict.address + heap->layout->dict.mask, 69);
        assert_false(find_text(heap, dict.address, "here", &value));
    }
    python_heap_destroy(heap);
}

/* What looks like the number in a key of another type is none: a long's size, a str's length. */
static void only_an_int_is_a_number_in_2(void **state)
{
    (void)state;
    struct python_heap *heap = python_heap_create(layout_of_version(2, 7, false), HEAP_LEN);
    struct dict dict = make_dict(heap, GENERAL);
    remote_addr value, key = python_heap_text(heap, "12345");
    put_entry(heap, &dict, 0, key, 7);
    assert_false(find_number(heap, dict.address, 5, &value));
    python_heap_put_u64(heap, key + heap->layout->object.type, UNMAPPED);
    assert_false(find_number(heap, dict.address, 5, &value));
    put_entry(heap, &dict, 1, python_heap_int(heap, (uint64_t)-5), 8);
    assert_false(find_number(heap, dict.address, 5, &value));
    put_entry(heap, &dict, 2, python_heap_int(heap, 5), 9);
    assert_true(find_number(heap, dict.address, 5, &value));
    assert_int_equal(value, 9);
    python_heap_destroy(heap);
}

/* Looks for the last of 200 texts. */
static bool find_last(struct python_heap *heap, remote_addr dict, uint64_t entries, uint64_t reads,
                      struct dict_budget *ret_left)
{
    struct dict_budget budget = {entries, reads, 0};
    remote_addr value;
    bool is_found = dict_budget_begin(&budget, &heap->fake.memory) &&
                    dict_find_text(heap->layout, &heap->fake.memory, dict, "key199", &budget, &value);
    dict_budget_end(&budget, &heap->fake.memory);
    *ret_left = budget;
    return is_found;
}

static void budgets(struct python_heap *heap)
{
    struct dict dict = make_dict(heap, GENERAL);
    struct dict_budget left;
    for (unsigned i = 0; i < 200; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", i);
        put_entry(heap, &dict, i, python_heap_text(heap, key), 1);
    }
    assert_true(find_last(heap, dict.address, 200, UINT64_MAX, &left));
    assert_int_equal(left.entries, 0);
    assert_false(find_last(heap, dict.address, 199, UINT64_MAX, &left));
    assert_int_equal(left.entries, 0);
    assert_true(find_last(heap, dict.address, UINT64_MAX, 1000, &left));
    uint64_t reads = 1000 - left.reads;
    assert_in_range(reads, 200, 999);
    assert_false(find_last(heap, dict.address, UINT64_MAX, reads / 2, &left));
    assert_int_equal(left.reads, 0);
    assert_false(find_last(heap, dict.address, UINT64_MAX, 0, &left));
}

static void a_search_ends_with_its_budget(void **state)
{
    (void)state;
    on_each_version(budgets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_found_in_tables_of_every_kind),
        cmocka_unit_test(numbers_of_one_to_three_digits_are_found),
        cmocka_unit_test(a_key_without_a_value_is_none),
        cmocka_unit_test(absurd_sizes_do_no_harm),
        cmocka_unit_test(pointers_to_nowhere_do_no_harm),
        cmocka_unit_test(numbers_of_absurd_length_are_not_found),
        cmocka_unit_test(attributes_are_found_in_a_dict_and_in_values),
        cmocka_unit_test(a_negative_number_is_not_taken_for_the_positive_one),
        cmocka_unit_test(a_number_beyond_64_bits_is_not_taken_for_its_lower_half),
        cmocka_unit_test(tables_of_2_with_absurd_masks_do_no_harm),
        cmocka_unit_test(only_an_int_is_a_number_in_2),
        cmocka_unit_test(a_search_ends_with_its_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
