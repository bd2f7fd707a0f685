/* SPDX-License-Identifier: MIT */
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 20000 };

static bool equals_number(const void *context, uint32_t index, const void *key)
{
    return ((const uint64_t *)context)[index] == *(const uint64_t *)key;
}

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct table table = {0};
    uint64_t key = 1;
    assert_int_equal(table_find(&table, 1, equals_number, NULL, &key), TABLE_NONE);
    table_clear(&table);
    table_deinit(&table);
}

/* Fills a table with COUNT numbers under the hashes that the function gives, and finds each of them again. */
static void check_growth(uint64_t (*hash)(uint64_t number), uint32_t count)
{
    struct table table = {0};
    uint64_t *numbers = calloc(count, sizeof(*numbers));
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = (uint64_t)i << 33;
        assert_true(table_insert(&table, hash(numbers[i]), i));
    }
    assert_int_equal(table.count, count);
    assert_true(table.capacity > count);
    assert_int_equal(table.capacity & (table.capacity - 1), 0);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(table_find(&table, hash(numbers[i]), equals_number, numbers, &numbers[i]), i);
    uint64_t missing = 1;
    assert_int_equal(table_find(&table, hash(missing), equals_number, numbers, &missing), TABLE_NONE);
    free(numbers);
    table_deinit(&table);
}

static void thousands_of_entries_are_found_after_growing(void **state)
{
    (void)state;
    check_growth(hash_number, COUNT);
}

static uint64_t same_hash(uint64_t number)
{
    (void)number;
    return UINT64_MAX;
}

static void entries_with_one_hash_are_told_apart_by_their_keys(void **state)
{
    (void)state;
    check_growth(same_hash, 500);
}

static uint64_t own_value(uint64_t number)
{
    return number;
}

static void hashes_that_differ_in_their_upper_half_only_are_found(void **state)
{
    (void)state;
    check_growth(own_value, 500);
}

static void clearing_forgets_entries_and_keeps_memory(void **state)
{
    (void)state;
    struct table table = {0};
    uint64_t numbers[] = {5, 6};
    assert_true(table_insert(&table, 5, 0));
    struct table_slot *slots = table.slots;
    table_clear(&table);
    assert_ptr_equal(table.slots, slots);
    assert_int_equal(table.count, 0);
    assert_int_equal(table_find(&table, 5, equals_number, numbers, &numbers[0]), TABLE_NONE);
    assert_true(table_insert(&table, 6, 1));
    assert_int_equal(table_find(&table, 6, equals_number, numbers, &numbers[1]), 1);
    table_deinit(&table);
    table_deinit(&table);
}

static void hashes_of_bytes_depend_on_every_byte_and_the_length(void **state)
{
    (void)state;
    unsigned char bytes[40] = {0};
    for (size_t len = 0; len < sizeof(bytes); len++) {
        uint64_t hash = hash_bytes(bytes, len);
        assert_true(hash != hash_bytes(bytes, len + 1));
        for (size_t i = 0; i < len; i++) {
            bytes[i] = 1;
            assert_true(hash != hash_bytes(bytes, len));
            bytes[i] = 0;
        }
    }
    assert_true(hash_bytes(NULL, 0) == hash_bytes("x", 0));
}

static void hashes_of_bytes_do_not_look_behind_the_end(void **state)
{
    (void)state;
    for (size_t len = 1; len < 20; len++) {
        unsigned char *bytes = malloc(len);
        memset(bytes, 7, len);
        unsigned char longer[20];
        memset(longer, 7, sizeof(longer));
        longer[len] = 8;
        assert_true(hash_bytes(bytes, len) == hash_bytes(longer, len));
        free(bytes);
    }
}

static void the_order_of_a_pair_matters(void **state)
{
    (void)state;
    assert_true(hash_pair(1, 2) != hash_pair(2, 1));
    assert_true(hash_pair(0, 1) != hash_pair(1, 0));
}

static void an_array_grows_by_doubling(void **state)
{
    (void)state;
    uint32_t *array = NULL, capacity = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(array_grow(&array, i, &capacity, sizeof(*array)));
        assert_true(capacity > i);
        array[i] = i;
    }
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(array[i], i);
    free(array);
}

static void an_array_beyond_its_limit_does_not_grow(void **state)
{
    (void)state;
    uint32_t element = 42, *array = &element;
    static const uint32_t capacities[] = {INT32_MAX / 2 + 1, INT32_MAX, UINT32_MAX};
    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
        uint32_t capacity = capacities[i];
        assert_false(array_grow(&array, capacity, &capacity, sizeof(*array)));
        assert_int_equal(capacity, capacities[i]);
        assert_ptr_equal(array, &element);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(thousands_of_entries_are_found_after_growing),
        cmocka_unit_test(entries_with_one_hash_are_told_apart_by_their_keys),
        cmocka_unit_test(hashes_that_differ_in_their_upper_half_only_are_found),
        cmocka_unit_test(clearing_forgets_entries_and_keeps_memory),
        cmocka_unit_test(hashes_of_bytes_depend_on_every_byte_and_the_length),
        cmocka_unit_test(hashes_of_bytes_do_not_look_behind_the_end),
        cmocka_unit_test(the_order_of_a_pair_matters),
        cmocka_unit_test(an_array_grows_by_doubling),
        cmocka_unit_test(an_array_beyond_its_limit_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
