/* SPDX-License-Identifier: MIT */
#include "python/method.h"

#include "base/buffer.h"
#include "python/dict.h"
#include "python/layout.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TYPE_LEN = 1024, OBJECT_LEN = 128, LOCAL_COUNT = 3, TYPE_SUBCLASS = 31, OLDEST = 3 << 8 | 6 };

/* A frame of method() of the class Base, called on an object of the class Derived. */
struct scene {
    struct layout layout;
    struct python_heap *heap;
    remote_addr type, function_type, base, derived, object, code, function, frame;
};

static remote_addr put_word(struct scene *scene, remote_addr address, remote_addr value)
{
    python_heap_put_u64(scene->heap, address, value);
    return address;
}

static remote_addr make_c_string(struct scene *scene, const char *text)
{
    remote_addr address = python_heap_alloc(scene->heap, strlen(text) + 1);
    memcpy(python_heap_bytes_at(scene->heap, address), text, strlen(text) + 1);
    return address;
}

static remote_addr make_object(struct scene *scene, remote_addr type)
{
    remote_addr object = python_heap_alloc(scene->heap, OBJECT_LEN);
    put_word(scene, object + scene->layout.object.type, type);
    return object;
}

static remote_addr make_type(struct scene *scene, const char *name)
{
    remote_addr type = python_heap_alloc(scene->heap, TYPE_LEN);
    put_word(scene, type + scene->layout.object.type, scene->type);
    put_word(scene, type + scene->layout.type.name, make_c_string(scene, name));
    return type;
}

static remote_addr make_tuple(struct scene *scene, const remote_addr *items, size_t count)
{
    remote_addr tuple = python_heap_alloc(scene->heap, 24 + count * 8);
    put_word(scene, tuple + scene->layout.object.var_size, count);
    for (size_t i = 0; i < count; i++)
        put_word(scene, tuple + scene->layout.tuple.items + i * 8, items[i]);
    return tuple;
}

/* A dict of one entry, whose index has eight bytes. */
static remote_addr make_dict(struct scene *scene, const char *key, remote_addr value)
{
    const struct layout *layout = &scene->layout;
    remote_addr dict = python_heap_alloc(scene->heap, 64), keys = python_heap_alloc(scene->heap, 96);
    remote_addr entry = keys + layout->dict.indices + 8;
    put_word(scene, dict + layout->dict.keys, keys);
    put_word(scene, keys + layout->dict.size, 8);
    put_word(scene, keys + layout->dict.entry_count, 1);
    put_word(scene, entry + 8, python_heap_text(scene->heap, key));
    put_word(scene, entry + 16, value);
    return dict;
}

static void set_argument(struct scene *scene, const char *name, remote_addr value)
{
    remote_addr names[] = {python_heap_text(scene->heap, name)};
    put_word(scene, scene->code + scene->layout.locals.names, make_tuple(scene, names, 1));
    put_word(scene, scene->frame + scene->layout.locals.first, value);
}

static void make_scene(struct scene *scene, const struct layout *layout)
{
    *scene = (struct scene){.layout = *layout, .heap = python_heap_create(layout, PYTHON_HEAP_LEN)};
    scene->type = make_type(scene, "type");
    put_word(scene, scene->type + layout->object.type, scene->type);
    put_word(scene, scene->type + layout->type.flags, UINT64_C(1) << TYPE_SUBCLASS);
    scene->function_type = make_type(scene, "function");
    scene->base = make_type(scene, "some.module.Base");
    scene->derived = make_type(scene, "Derived");
    scene->object = make_object(scene, scene->derived);
    scene->frame = python_heap_alloc(scene->heap, 512);
    scene->code = python_heap_code(scene->heap, "method", "a.py", 1);
    scene->function = make_object(scene, scene->function_type);
    put_word(scene, scene->function + layout->function.code, scene->code);
    put_word(scene, scene->function + layout->function.qualname, python_heap_text(scene->heap, "Outer.Base.method"));
    put_word(scene, scene->base + layout->type.dict, make_dict(scene, "method", scene->function));
    put_word(scene, scene->derived + layout->type.dict, make_dict(scene, "other", scene->function));
    const remote_addr bases[] = {scene->derived, scene->base};
    put_word(scene, scene->derived + layout->type.mro, make_tuple(scene, bases, 2));
    python_heap_put_u32(scene->heap, scene->code + layout->locals.arg_count, 1);
    python_heap_put_u32(scene->heap, scene->code + layout->locals.local_count, LOCAL_COUNT);
    set_argument(scene, "self", scene->object);
}

static void check_name_of(struct scene *scene, const char *name, const char *expected)
{
    struct dict_budget budget = {UINT64_MAX, UINT64_MAX, 0};
    struct buffer buffer = {0};
    bool is_found =
        method_find_name(&scene->layout, &scene->heap->fake.memory, scene->frame, scene->code, name, &budget, &buffer);
    if (expected)
        assert_string_equal(buffer_text(&buffer), expected);
    assert_int_equal(is_found, expected != NULL);
    buffer_deinit(&buffer);
}

static void check_name(struct scene *scene, const char *expected)
{
    check_name_of(scene, "method", expected);
}

/* Runs a check on a fresh scene of each version. */
static void for_each_version(void (*check)(struct scene *scene))
{
    uint32_t count, checked = 0;
    const struct layout *all = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct scene scene;
        if (all[i].version < OLDEST || all[i].code.qualname != LAYOUT_NONE)
            continue;
        make_scene(&scene, &all[i]);
        check(&scene);
        python_heap_destroy(scene.heap);
        checked++;
    }
    assert_int_equal(checked, 5);
}

static void check_inherited(struct scene *scene)
{
    check_name(scene, "Outer.Base.method");
}

static void an_inherited_method_has_the_name_of_its_own_class(void **state)
{
    (void)state;
    for_each_version(check_inherited);
}

static void check_class_method(struct scene *scene)
{
    remote_addr wrapper = make_object(scene, make_type(scene, "classmethod"));
    put_word(scene, wrapper + 16, scene->function);
    put_word(scene, scene->base + scene->layout.type.dict, make_dict(scene, "method", wrapper));
    set_argument(scene, "cls", scene->derived);
    check_name(scene, "Outer.Base.method");
    /* A method of a metaclass, whose self is a class. */
    put_word(scene, scene->derived + scene->layout.object.type, scene->base);
    put_word(scene, scene->base + scene->layout.type.flags, UINT64_C(1) << TYPE_SUBCLASS);
    put_word(scene, scene->derived + scene->layout.type.mro, 0);
    put_word(scene, scene->base + scene->layout.type.mro, make_tuple(scene, &scene->base, 1));
    check_name(scene, "Outer.Base.method");
}

static void a_class_is_looked_into_itself_and_then_its_own_class(void **state)
{
    (void)state;
    for_each_version(check_class_method);
}

static void check_property(struct scene *scene)
{
    remote_addr property = make_object(scene, make_type(scene, "property"));
    put_word(scene, scene->base + scene->layout.type.dict, make_dict(scene, "method", property));
    for (int accessor = 0; accessor < 3; accessor++) {
        put_word(scene, property + 16 + (remote_addr)accessor * 8, scene->function);
        check_name(scene, "Outer.Base.method");
        put_word(scene, property + 16 + (remote_addr)accessor * 8, 0);
        check_name(scene, NULL);
    }
}

static void each_function_of_a_property_is_found(void **state)
{
    (void)state;
    for_each_version(check_property);
}

static void check_private(struct scene *scene)
{
    put_word(scene, scene->function + scene->layout.function.qualname, python_heap_text(scene->heap, "Base.__method"));
    put_word(scene, scene->base + scene->layout.type.dict, make_dict(scene, "_Base__method", scene->function));
    check_name_of(scene, "__method", "Base.__method");
    put_word(scene, scene->base + scene->layout.type.name, make_c_string(scene, "__Base"));
    check_name_of(scene, "__method", "Base.__method");
    put_word(scene, scene->base + scene->layout.type.name, make_c_string(scene, "___"));
    check_name_of(scene, "__method", NULL);
    check_name_of(scene, "__method__", NULL);
}

static void a_private_method_is_looked_for_under_its_mangled_name(void **state)
{
    (void)state;
    for_each_version(check_private);
}

static void check_cell(struct scene *scene)
{
    const remote_addr names[] = {python_heap_text(scene->heap, "other"), python_heap_text(scene->heap, "self")};
    remote_addr cell = make_object(scene, scene->function_type);
    set_argument(scene, "self", 0);
    check_name(scene, NULL);
    put_word(scene, scene->code + scene->layout.locals.cellvars, make_tuple(scene, names, 2));
    check_name(scene, NULL);
    put_word(scene, scene->frame + scene->layout.locals.first + (LOCAL_COUNT + 1) * 8, cell);
    check_name(scene, NULL);
    put_word(scene, cell + scene->layout.cell.value, scene->object);
    check_name(scene, "Outer.Base.method");
    python_heap_put_u32(scene->heap, scene->code + scene->layout.locals.local_count, UINT32_MAX);
    check_name(scene, NULL);
}

static void an_argument_that_inner_functions_use_is_in_a_cell(void **state)
{
    (void)state;
    for_each_version(check_cell);
}

static void check_doubt(struct scene *scene)
{
    const struct layout *layout = &scene->layout;
    check_name_of(scene, "metho", NULL);
    set_argument(scene, "this", scene->object);
    check_name(scene, NULL);
    set_argument(scene, "self", scene->object);
    python_heap_put_u32(scene->heap, scene->code + layout->locals.arg_count, 0);
    check_name(scene, NULL);
    python_heap_put_u32(scene->heap, scene->code + layout->locals.arg_count, 1);
    put_word(scene, scene->function + layout->function.code, scene->code + 8);
    check_name(scene, NULL);
    put_word(scene, scene->function + layout->function.code, scene->code);
    put_word(scene, scene->function + layout->object.type, make_type(scene, "builtin_function"));
    check_name(scene, NULL);
    put_word(scene, scene->function + layout->object.type, scene->function_type);
    put_word(scene, scene->function + layout->function.qualname, python_heap_text(scene->heap, "Base.renamed"));
    check_name(scene, NULL);
    put_word(scene, scene->function + layout->function.qualname, python_heap_text(scene->heap, "method"));
    check_name(scene, NULL);
    put_word(scene, scene->function + layout->function.qualname, python_heap_text(scene->heap, "C.method"));
    check_name(scene, "C.method");
}

static void when_in_doubt_there_is_no_class(void **state)
{
    (void)state;
    for_each_version(check_doubt);
}

static void check_limits(struct scene *scene)
{
    remote_addr bases[129];
    char long_name[129];
    for (size_t i = 0; i < 129; i++)
        bases[i] = scene->function_type;
    bases[128] = scene->base;
    put_word(scene, scene->derived + scene->layout.type.mro, make_tuple(scene, bases, 129));
    check_name(scene, NULL);
    bases[127] = scene->base;
    remote_addr mro = make_tuple(scene, bases, 128);
    put_word(scene, scene->derived + scene->layout.type.mro, mro);
    check_name(scene, "Outer.Base.method");
    put_word(scene, mro + scene->layout.object.var_size, UINT64_MAX);
    check_name(scene, "Outer.Base.method");
    memset(long_name, 'x', sizeof(long_name));
    long_name[128] = '\0';
    put_word(scene, scene->base + scene->layout.type.name, make_c_string(scene, long_name));
    check_name(scene, NULL);
    put_word(scene, scene->base + scene->layout.type.name, make_c_string(scene, long_name + 1));
    check_name(scene, "Outer.Base.method");
}

static void classes_and_their_names_have_limits(void **state)
{
    (void)state;
    for_each_version(check_limits);
}

/* Every word that the search reads, replaced by what leads nowhere, or to something else. */
static void check_broken(struct scene *scene)
{
    struct python_heap *heap = scene->heap;
    const uint64_t values[] = {0, 1, 8, UINT64_MAX, UINT64_MAX - 7, scene->frame, scene->type, scene->object};
    struct dict_budget budget = {UINT64_MAX, UINT64_MAX, 0};
    struct buffer buffer = {0};
    for (size_t at = 0; at + 8 <= heap->used; at += 8) {
        uint64_t kept;
        memcpy(&kept, heap->bytes + at, sizeof(kept));
        for (size_t i = 0; kept != 0 && i < sizeof(values) / sizeof(values[0]); i++) {
            memcpy(heap->bytes + at, &values[i], sizeof(kept));
            if (method_find_name(&scene->layout, &heap->fake.memory, scene->frame, scene->code, "method", &budget,
                                 &buffer))
                assert_true(buffer.len >= 7 && strcmp(buffer.data + buffer.len - 7, ".method") == 0);
        }
        memcpy(heap->bytes + at, &kept, sizeof(kept));
    }
    buffer_deinit(&buffer);
    check_name(scene, "Outer.Base.method");
}

static void no_broken_word_leads_astray(void **state)
{
    (void)state;
    for_each_version(check_broken);
}

static void check_budgets(struct scene *scene)
{
    struct dict_budget budgets[] = {{0, 1000, 0}, {1000, 0, 0}, {8, 1000, 0}, {1000, 3, 0}}, enough = {1000, 1000, 0};
    struct memory *memory = &scene->heap->fake.memory;
    struct buffer buffer = {0};
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++)
        assert_false(
            method_find_name(&scene->layout, memory, scene->frame, scene->code, "method", &budgets[i], &buffer));
    assert_true(method_find_name(&scene->layout, memory, scene->frame, scene->code, "method", &enough, &buffer));
    assert_in_range(enough.entries, 1, 999);
    assert_in_range(enough.reads, 1, 999);
    buffer_deinit(&buffer);
}

static void a_budget_that_is_spent_finds_nothing(void **state)
{
    (void)state;
    for_each_version(check_budgets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inherited_method_has_the_name_of_its_own_class),
        cmocka_unit_test(a_class_is_looked_into_itself_and_then_its_own_class),
        cmocka_unit_test(each_function_of_a_property_is_found),
        cmocka_unit_test(a_private_method_is_looked_for_under_its_mangled_name),
        cmocka_unit_test(an_argument_that_inner_functions_use_is_in_a_cell),
        cmocka_unit_test(when_in_doubt_there_is_no_class),
        cmocka_unit_test(classes_and_their_names_have_limits),
        cmocka_unit_test(no_broken_word_leads_astray),
        cmocka_unit_test(a_budget_that_is_spent_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
