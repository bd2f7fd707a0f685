/* SPDX-License-Identifier: MIT */
#include "python/code_cache.h"

#include "python/layout.h"
#include "python/runtime.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { CACHE_LIMIT = 4 << 20, CODE_STEP = 512, CODE_LIMIT = CACHE_LIMIT / CODE_STEP * 8 };

static const remote_addr CODES = 0x100000000;

/* A memory in which every CODE_STEP bytes from CODES on another copy of one code object stands. */
struct many_codes {
    struct memory memory;
    struct python_heap *heap;
    remote_addr code;
};

static enum memory_status read_copy(struct memory *memory, const struct memory_piece *pieces, size_t count,
                                    size_t *ret_done)
{
    const struct many_codes *many = (const struct many_codes *)memory;
    struct memory_piece piece = pieces[0];
    if (piece.address >= CODES && piece.address < CODES + (remote_addr)(CODE_LIMIT + 8) * CODE_STEP)
        piece.address = many->code + (piece.address - CODES) % CODE_STEP;
    assert_int_equal(count, 1);
    return memory_read_batch(&many->heap->fake.memory, &piece, 1, ret_done);
}

static void more_code_objects_than_the_limit_start_the_cache_again(void **state)
{
    (void)state;
    static const struct memory_ops ops = {.read = read_copy};
    struct layout layout = *layout_of_version(3, 12, false);
    const struct python_runtime runtime = {.layout = &layout};
    struct many_codes many = {{.ops = &ops}, python_heap_create(&layout, PYTHON_HEAP_LEN), 0};
    many.code = python_heap_code(many.heap, "f", "a.py", 10);
    struct code_cache cache;
    uint32_t index = 0;
    code_cache_init(&cache, &runtime);
    code_cache_begin_sample(&cache);
    uint32_t count = 0;
    for (; cache.kept <= CACHE_LIMIT && count < CODE_LIMIT; count++) {
        assert_int_equal(code_cache_find(&cache, &many.memory, CODES + (uint64_t)count * CODE_STEP, &index), PYTHON_OK);
        assert_int_equal(index, count);
    }
    /* An entry takes some hundred bytes: names and lines are part of it. */
    assert_in_range(count, CACHE_LIMIT / 1000, CACHE_LIMIT / sizeof(struct code_entry));
    assert_int_equal(cache.count, count);
    assert_in_range(cache.kept, CACHE_LIMIT, CACHE_LIMIT + 1000);
    uint32_t serial = cache.last_serial;
    /* They are kept while they are of use. */
    code_cache_begin_sample(&cache);
    assert_int_equal(cache.count, count);
    assert_int_equal(code_cache_find(&cache, &many.memory, CODES, &index), PYTHON_OK);
    /* One sample of less says nothing, many say it. */
    code_cache_begin_sample(&cache);
    assert_int_equal(cache.count, count);
    for (int i = 0; i < 100; i++)
        code_cache_begin_sample(&cache);
    assert_int_equal(cache.count, 0);
    assert_int_equal(cache.kept, 0);
    assert_int_equal(code_cache_find(&cache, &many.memory, CODES, &index), PYTHON_OK);
    assert_int_equal(index, 0);
    assert_int_equal(cache.entries[0].code.serial, serial + 1);
    code_cache_deinit(&cache);
    code_cache_deinit(&cache);
    python_heap_destroy(many.heap);
}

static void a_code_object_that_cannot_be_decoded_is_tried_again(void **state)
{
    (void)state;
    struct layout layout = *layout_of_version(3, 12, false);
    const struct python_runtime runtime = {.layout = &layout};
    struct python_heap *heap = python_heap_create(&layout, PYTHON_HEAP_LEN);
    remote_addr code = python_heap_code(heap, "f", "a.py", 10), name = python_heap_text(heap, "late");
    python_heap_put_u64(heap, code + layout.code.qualname, 8);
    struct code_cache cache;
    uint32_t index = 42;
    code_cache_init(&cache, &runtime);
    code_cache_begin_sample(&cache);
    for (int i = 0; i < 3; i++)
        assert_int_equal(code_cache_find(&cache, &heap->fake.memory, code, &index), PYTHON_BAD_CODE);
    assert_int_equal(index, 42);
    python_heap_put_u64(heap, code + layout.code.qualname, name);
    assert_int_equal(code_cache_find(&cache, &heap->fake.memory, code, &index), PYTHON_OK);
    assert_string_equal(cache.entries[index].code.name, "late");
    uint64_t reads = heap->fake.memory.remote_reads;
    assert_int_equal(code_cache_find(&cache, &heap->fake.memory, code, &index), PYTHON_OK);
    assert_int_equal(heap->fake.memory.remote_reads, reads);
    code_cache_begin_sample(&cache);
    assert_int_equal(code_cache_find(&cache, &heap->fake.memory, code, &index), PYTHON_OK);
    assert_int_equal(heap->fake.memory.remote_reads, reads + 1);
    code_cache_deinit(&cache);
    python_heap_destroy(heap);
}

/*
 * A line table that is as long as is read, and has a line for each instruction, of as many code objects as anybody asks
 * for: all of them share it.
 */
static void what_one_stack_keeps_is_bounded_and_the_same_each_time(void **state)
{
    enum { TABLE_LEN = 3 << 20, HEAP_LEN = 8 << 20, STACK_LIMIT = 16 << 20, RANGE_LEN = 8, COUNT = 40, BUSY = 0xd8 };
    (void)state;
    static const struct memory_ops ops = {.read = read_copy};
    struct layout layout = *layout_of_version(3, 12, false);
    const struct python_runtime runtime = {.layout = &layout};
    struct many_codes many = {{.ops = &ops}, python_heap_create(&layout, HEAP_LEN), 0};
    many.code = python_heap_code(many.heap, "f", "a.py", 10);
    remote_addr table = python_heap_alloc(many.heap, TABLE_LEN + 64);
    python_heap_put_u64(many.heap, table + layout.bytes.length, TABLE_LEN);
    unsigned char *bytes = python_heap_bytes_at(many.heap, table + layout.bytes.data);
    for (size_t i = 0; i < TABLE_LEN; i += 3)
        bytes[i] = BUSY;
    python_heap_put_u64(many.heap, many.code + layout.code.line_table, table);
    struct code_cache cache;
    uint32_t index = 0, last_serial = 0, found = 0;
    code_cache_init(&cache, &runtime);
    for (int sample = 0; sample < 3; sample++) {
        uint32_t now = 0;
        code_cache_begin_sample(&cache);
        code_cache_begin_stack(&cache);
        for (uint64_t i = 0; i < COUNT; i++)
            now += code_cache_find(&cache, &many.memory, CODES + i * CODE_STEP, &index) == PYTHON_OK;
        assert_in_range(now, 1, STACK_LIMIT / (TABLE_LEN / 3 * RANGE_LEN) + 1);
        assert_true(sample == 0 || (now == found && cache.last_serial == last_serial));
        found = now;
        last_serial = cache.last_serial;
        assert_int_equal(code_cache_find(&cache, &many.memory, many.code, &index), PYTHON_BAD_CODE);
    }
    /* Another stack has room of its own. */
    code_cache_begin_stack(&cache);
    assert_int_equal(code_cache_find(&cache, &many.memory, many.code, &index), PYTHON_OK);
    code_cache_deinit(&cache);
    python_heap_destroy(many.heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_code_objects_than_the_limit_start_the_cache_again),
        cmocka_unit_test(what_one_stack_keeps_is_bounded_and_the_same_each_time),
        cmocka_unit_test(a_code_object_that_cannot_be_decoded_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
