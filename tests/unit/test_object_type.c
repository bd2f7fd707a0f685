/* SPDX-License-Identifier: MIT */
#include "python/object_type.h"

#include "hostile_memory.h"
#include "python/layout.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TYPE_LEN = 1024, CLASS_COUNT = 200, WORD_LEN = sizeof(uint64_t) };

static void on_each_version(void (*test)(struct python_heap *heap))
{
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct python_heap *heap = python_heap_create(&layouts[i], PYTHON_HEAP_LEN);
        test(heap);
        python_heap_destroy(heap);
    }
}

static remote_addr make_type(struct python_heap *heap, const char *name)
{
    remote_addr type = python_heap_alloc(heap, TYPE_LEN), text = python_heap_alloc(heap, strlen(name) + 1);
    memcpy(python_heap_bytes_at(heap, text), name, strlen(name) + 1);
    python_heap_put_u64(heap, type + heap->layout->type.name, text);
    return type;
}

static void check_name(struct python_heap *heap, const char *name, const char *expected)
{
    struct object_types types = {0};
    const struct object_type *type = object_types_find(&types, heap->layout, &heap->fake.memory, make_type(heap, name));
    assert_non_null(type);
    assert_string_equal(type->name, expected);
    assert_string_equal(type->full_name, expected);
    object_types_deinit(&types);
}

static void names(struct python_heap *heap)
{
    char long_name[TYPE_NAME_LEN + 8] = "", cut_name[TYPE_NAME_LEN] = "";
    check_name(heap,
               "Stra\xc3\x9f"
               "e",
               "Stra\xc3\x9f"
               "e");
    check_name(heap,
               "\xff"
               "a\xc3(\xed",
               "?a?(?");
    /* The last byte that there is room for is the first of a character. */
    memset(long_name, 'a', TYPE_NAME_LEN - 2);
    memcpy(cut_name, long_name, TYPE_NAME_LEN - 2);
    strcat(long_name, "\xc3\x9f");
    strcat(cut_name, "?");
    check_name(heap, long_name, cut_name);
}

static void a_name_that_is_no_utf8_becomes_one(void **state)
{
    (void)state;
    on_each_version(names);
}

/* A dict that claims to have any number of entries, all of them empty. */
static remote_addr make_endless_dict(struct python_heap *heap)
{
    const struct layout *layout = heap->layout;
    remote_addr dict = python_heap_alloc(heap, 128), keys = python_heap_alloc(heap, 128);
    if (layout->container_format == CONTAINERS_2) {
        python_heap_put_u64(heap, dict + layout->dict.table, keys);
        python_heap_put_u64(heap, dict + layout->dict.mask, UINT64_MAX);
        return dict;
    }
    python_heap_put_u64(heap, dict + layout->dict.keys, keys);
    python_heap_put_u64(heap, keys + layout->dict.entry_count, UINT64_MAX);
    return dict;
}

static void lookups(struct python_heap *heap)
{
    const struct layout *layout = heap->layout;
    struct hostile_memory hostile;
    remote_addr type = make_type(heap, "A"), mro = python_heap_alloc(heap, 64 + CLASS_COUNT * WORD_LEN), found, owner;
    python_heap_put_u64(heap, type + layout->type.mro, mro);
    python_heap_put_u64(heap, mro + layout->object.var_size, CLASS_COUNT);
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        python_heap_put_u64(heap, mro + layout->tuple.items + i * WORD_LEN, type);
    /* The last one in the heap: behind it all is zero. */
    python_heap_put_u64(heap, type + layout->type.dict, make_endless_dict(heap));
    hostile_memory_init(&hostile, &heap->fake.memory);
    hostile.world = WORLD_ZEROES;
    assert_false(class_find_attribute(layout, &hostile.memory, type, "__repr__", &found, &owner));
    /* What there is around the entries, and these in steps of many. */
    assert_in_range(hostile.pieces, 1, 4000);
}

static void a_lookup_in_many_classes_ends(void **state)
{
    (void)state;
    on_each_version(lookups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_is_no_utf8_becomes_one),
        cmocka_unit_test(a_lookup_in_many_classes_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
