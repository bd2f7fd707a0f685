/* SPDX-License-Identifier: MIT */
#include "python/lock.h"

#include "base/cleanup.h"
#include "python/layout.h"
#include "python/walk.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TYPE_LEN = 1024, OBJECT_LEN = 128, SLOT_COUNT = 300, OWNER = 0x7f00 };

/* A frame, a lock and what can stand between them, in one version. */
struct scene {
    const struct layout *layout;
    struct python_heap *heap;
    struct python *python;
    struct python_frame frame;
    remote_addr semaphore; /* a word of its own */
};

static void put_word(struct scene *scene, remote_addr address, remote_addr value)
{
    python_heap_put_u64(scene->heap, address, value);
}

static remote_addr make_type(struct scene *scene, const char *name)
{
    remote_addr type = python_heap_alloc(scene->heap, TYPE_LEN);
    remote_addr text = python_heap_alloc(scene->heap, strlen(name) + 1);
    memcpy(python_heap_bytes_at(scene->heap, text), name, strlen(name) + 1);
    put_word(scene, type + scene->layout->type.name, text);
    put_word(scene, type + scene->layout->type.basic_size, 64);
    return type;
}

static remote_addr make_object(struct scene *scene, const char *type, uint64_t first, uint64_t second)
{
    remote_addr object = python_heap_alloc(scene->heap, OBJECT_LEN);
    put_word(scene, object + scene->layout->object.type, make_type(scene, type));
    put_word(scene, object + scene->layout->object.var_size, first);
    put_word(scene, object + scene->layout->object.var_size + 8, second);
    return object;
}

static void put_slot(struct scene *scene, uint32_t slot, remote_addr value)
{
    put_word(scene, scene->frame.address + scene->layout->locals.first + slot * sizeof(uint64_t), value);
}

static bool find(struct scene *scene, remote_addr futex, struct python_lock *ret)
{
    return python_find_lock(scene->python, &scene->heap->fake.memory, &scene->frame, futex, ret);
}

static void check_found(struct scene *scene, remote_addr futex, remote_addr object, uint64_t owner)
{
    struct python_lock lock = {0};
    assert_true(find(scene, futex, &lock));
    assert_int_equal(lock.object, object);
    assert_int_equal(lock.owner, owner);
    assert_true(lock.is_lock);
    assert_false(lock.is_thread);
}

static void check_missing(struct scene *scene, remote_addr futex)
{
    struct python_lock lock;
    assert_false(find(scene, futex, &lock));
}

/* Runs a check on a fresh scene of each version. */
static void for_each_version(void (*check)(struct scene *scene))
{
    uint32_t count;
    const struct layout *all = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct scene scene = {.layout = &all[i], .heap = python_heap_create(&all[i], PYTHON_HEAP_LEN)};
        scene.python = python_heap_open(scene.heap);
        scene.frame.address = python_heap_alloc(scene.heap, 512 + SLOT_COUNT * sizeof(uint64_t));
        scene.semaphore = python_heap_alloc(scene.heap, 32);
        check(&scene);
        python_destroy(scene.python);
        python_heap_destroy(scene.heap);
    }
}

static void check_semaphores(struct scene *scene)
{
    remote_addr lock = make_object(scene, "_thread.lock", scene->semaphore, 1);
    check_missing(scene, scene->semaphore);
    put_slot(scene, 5, lock);
    check_found(scene, scene->semaphore, lock, 0);
    check_missing(scene, scene->semaphore + 8);
    put_slot(scene, 5, make_object(scene, "builtin_function_or_method", 0x1234, lock));
    check_found(scene, scene->semaphore, lock, 0);
    remote_addr again = make_object(scene, "_thread.RLock", scene->semaphore, OWNER);
    put_slot(scene, 5, again);
    check_found(scene, scene->semaphore, again, OWNER);
    /* Low bits of a slot are no part of the address. */
    put_slot(scene, 5, again | 1);
    check_found(scene, scene->semaphore, again, OWNER);
    assert_false(
        python_find_lock(scene->python, &scene->heap->fake.memory, NULL, scene->semaphore, &(struct python_lock){0}));
}

static void a_lock_with_a_semaphore_is_found_among_the_values_of_the_frame(void **state)
{
    (void)state;
    for_each_version(check_semaphores);
}

static void check_parked(struct scene *scene)
{
    remote_addr lock = make_object(scene, "_thread.RLock", 3, OWNER), node = python_heap_alloc(scene->heap, 64);
    remote_addr futex = node + 16;
    put_word(scene, futex - 8, lock + scene->layout->object.var_size);
    if (!scene->layout->parks_threads) {
        check_missing(scene, futex);
        return;
    }
    check_found(scene, futex, lock, OWNER);
    /* Something else that has such a byte, and nothing in the frame. */
    put_word(scene, futex - 8, make_object(scene, "some.Thing", 3, OWNER) + scene->layout->object.var_size);
    check_missing(scene, futex);
    remote_addr queue = make_object(scene, "_queue.SimpleQueue", 3, 4);
    put_word(scene, futex - 8, queue + scene->layout->object.var_size + 9);
    put_slot(scene, 1, queue);
    struct python_lock found = {0};
    assert_true(find(scene, futex, &found));
    assert_int_equal(found.object, queue);
    assert_false(found.is_lock);
    assert_string_equal(found.type, "_queue.SimpleQueue");
}

static void what_a_parked_thread_waits_for_stands_beside_the_futex(void **state)
{
    (void)state;
    for_each_version(check_parked);
}

static void check_thread(struct scene *scene)
{
    remote_addr state = python_heap_alloc(scene->heap, 128), node = python_heap_alloc(scene->heap, 64);
    struct python_lock found = {0};
    if (!scene->layout->parks_threads)
        return;
    put_word(scene, state + 32, OWNER);
    put_word(scene, node + 8, state + 57);
    put_slot(scene, 2, make_object(scene, "_thread._ThreadHandle", state, 0));
    assert_true(find(scene, node + 16, &found));
    assert_true(found.is_thread);
    assert_int_equal(found.owner, OWNER);
    put_slot(scene, 2, make_object(scene, "another._ThreadHandle", state, 0));
    check_missing(scene, node + 16);
}

static void the_end_of_a_thread_is_told_from_a_lock(void **state)
{
    (void)state;
    for_each_version(check_thread);
}

static void check_other_types(struct scene *scene)
{
    static const char *const names[] = {"c_char_Array_64", "", "_thread.lock2", "x_thread.lock",
                                        "_thread.lockxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    for (size_t i = 0; i < array_size(names); i++) {
        put_slot(scene, 3, make_object(scene, names[i], scene->semaphore, 0));
        check_missing(scene, scene->semaphore);
    }
}

static void what_only_looks_like_a_lock_is_none(void **state)
{
    (void)state;
    for_each_version(check_other_types);
}

/* Words of every kind, and one lock behind the last that is looked at. */
static void check_hostile(struct scene *scene)
{
    static const uint64_t words[] = {0, 1, 7, 8, UINT64_MAX, UINT64_MAX - 7, 0x7fffffffffff, 0xdead0000};
    remote_addr lock = make_object(scene, "_thread.lock", scene->semaphore, 1), itself;
    for (uint32_t i = 0; i < SLOT_COUNT; i++)
        put_slot(scene, i, words[i % array_size(words)]);
    itself = make_object(scene, "x", 0, 0);
    put_word(scene, itself + scene->layout->object.var_size + 8, itself);
    put_word(scene, itself + scene->layout->object.type, itself);
    put_slot(scene, 0, itself);
    put_slot(scene, 256, lock);
    check_missing(scene, scene->semaphore);
    check_missing(scene, 0);
    check_missing(scene, UINT64_MAX);
    check_missing(scene, 7);
    put_slot(scene, 255, lock);
    check_found(scene, scene->semaphore, lock, 0);
    /* Frames that are not where they should be. */
    const remote_addr frames[] = {0, 1, UINT64_MAX, UINT64_MAX - 4096, 0xdead0000};
    for (size_t i = 0; i < array_size(frames); i++) {
        scene->frame.address = frames[i];
        check_missing(scene, scene->semaphore);
    }
}

static void a_frame_of_anything_does_no_harm(void **state)
{
    (void)state;
    for_each_version(check_hostile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_with_a_semaphore_is_found_among_the_values_of_the_frame),
        cmocka_unit_test(what_a_parked_thread_waits_for_stands_beside_the_futex),
        cmocka_unit_test(the_end_of_a_thread_is_told_from_a_lock),
        cmocka_unit_test(what_only_looks_like_a_lock_is_none),
        cmocka_unit_test(a_frame_of_anything_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
