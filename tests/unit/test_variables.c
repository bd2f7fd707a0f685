/* SPDX-License-Identifier: MIT */
/*
 * Variables of a frame that was put together field by field, as each version has it; and then thousands of times with
 * one word of its memory broken. What real interpreters have is compared in tests/integration/test_locals.py.
 */
#include "python/variables.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "python/layout.h"
#include "python/walk.h"
#include "python_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    TYPE_LEN = 1024,
    OBJECT_LEN = 128,
    FRAME_LEN = 1024,
    HEAP_LEN = 256 * 1024,
    TEXT_LIMIT = 128,
    FLAG_HEAP = 1 << 9,
    MUTATION_COUNT = 10000,
    READ_LIMIT = 3000000, /* pieces of memory for one frame, whatever it holds */
    KIND_LOCAL = 0x20,
    KIND_CELL = 0x40,
    VARIABLE_COUNT = 6,
};

/* A function with arguments and locals, and what is around it. */
struct scene {
    struct python_heap *heap;
    const struct layout *layout;
    remote_addr object_type, str_type, int_type, list_type, tuple_type, dict_type, cell_type, plain_type;
    remote_addr code, frame, slots, names;
    unsigned name_count;
    struct python *python;
    struct python_variables *variables;
};

static uint64_t reads;

static void count_read(struct fake_memory *fake, const struct memory_piece *piece)
{
    (void)fake;
    (void)piece;
    reads++;
}

static void put(struct scene *scene, remote_addr address, uint64_t value)
{
    python_heap_put_u64(scene->heap, address, value);
}

static remote_addr make_c_string(struct scene *scene, const char *text)
{
    remote_addr address = python_heap_alloc(scene->heap, strlen(text) + 1);
    memcpy(python_heap_bytes_at(scene->heap, address), text, strlen(text) + 1);
    return address;
}

static void complete_type(struct scene *scene, remote_addr type, const char *name, uint64_t flags, remote_addr repr)
{
    put(scene, type + scene->layout->type.name, make_c_string(scene, name));
    put(scene, type + scene->layout->type.flags, flags);
    put(scene, type + scene->layout->type.base, type == scene->object_type ? 0 : scene->object_type);
    put(scene, type + scene->layout->type.repr, repr);
}

static remote_addr make_type(struct scene *scene, const char *name, uint64_t flags, remote_addr repr)
{
    remote_addr type = python_heap_alloc(scene->heap, TYPE_LEN);
    complete_type(scene, type, name, flags, repr ? repr : type);
    return type;
}

static remote_addr typed(struct scene *scene, remote_addr object, remote_addr type)
{
    put(scene, object + scene->layout->object.type, type);
    return object;
}

static remote_addr make_object(struct scene *scene, remote_addr type)
{
    return typed(scene, python_heap_alloc(scene->heap, OBJECT_LEN), type);
}

static remote_addr make_str(struct scene *scene, const char *text)
{
    remote_addr object = python_heap_text(scene->heap, text);
    return scene->layout->container_format == CONTAINERS_2 ? object : typed(scene, object, scene->str_type);
}

static remote_addr make_int(struct scene *scene, uint64_t number)
{
    return typed(scene, python_heap_int(scene->heap, number), scene->int_type);
}

static remote_addr make_list(struct scene *scene, const remote_addr *items, size_t count)
{
    remote_addr list = make_object(scene, scene->list_type);
    remote_addr first = python_heap_alloc(scene->heap, (count + 1) * sizeof(remote_addr));
    put(scene, list + scene->layout->object.var_size, count);
    put(scene, list + scene->layout->list.items, first);
    for (size_t i = 0; i < count; i++)
        put(scene, first + i * sizeof(remote_addr), items[i]);
    return list;
}

static remote_addr make_tuple(struct scene *scene, size_t room)
{
    remote_addr tuple =
        typed(scene, python_heap_alloc(scene->heap, scene->layout->tuple.items + (room + 1) * sizeof(remote_addr)),
              scene->tuple_type);
    return tuple;
}

/* A dict with one entry, in a table of eight. */
static remote_addr make_dict(struct scene *scene, remote_addr key, remote_addr value)
{
    const struct layout *layout = scene->layout;
    remote_addr dict = make_object(scene, scene->dict_type), keys = python_heap_alloc(scene->heap, 512), entry = keys;
    if (layout->container_format == CONTAINERS_2) {
        put(scene, dict + layout->dict.table, keys);
        put(scene, dict + layout->dict.mask, 7);
    } else {
        put(scene, dict + layout->dict.keys, keys);
        put(scene, keys + layout->dict.entry_count, 1);
        entry += layout->dict.indices + 8U;
        if (layout->dict.kind != LAYOUT_NONE)
            python_heap_put_u8(scene->heap, keys + layout->dict.log2_index_bytes, 3);
        else
            put(scene, keys + layout->dict.size, 8);
    }
    put(scene, entry + 8, key);
    put(scene, entry + 16, value);
    return dict;
}

static bool has_kinds(const struct scene *scene)
{
    return scene->layout->locals.kinds != LAYOUT_NONE;
}

/* Adds a name to a tuple of names. */
static void add_name(struct scene *scene, const char *name)
{
    const struct layout *layout = scene->layout;
    put(scene, scene->names + layout->tuple.items + scene->name_count * sizeof(remote_addr), make_str(scene, name));
    put(scene, scene->names + layout->object.var_size, ++scene->name_count);
}

static void add_variable(struct scene *scene, const char *name, remote_addr value)
{
    put(scene, scene->slots + scene->name_count * sizeof(remote_addr), value);
    add_name(scene, name);
}

/* A variable that is in a cell; to 3.10 these come behind all others, with names of their own. */
static void add_cell(struct scene *scene, const char *name, remote_addr value)
{
    const struct layout *layout = scene->layout;
    remote_addr cell = make_object(scene, scene->cell_type);
    put(scene, cell + layout->cell.value, value);
    put(scene, scene->slots + scene->name_count * sizeof(remote_addr), cell);
    if (!has_kinds(scene)) {
        python_heap_put_u32(scene->heap, scene->code + layout->locals.local_count, scene->name_count);
        scene->names = make_tuple(scene, 1);
        scene->name_count = 0;
        put(scene, scene->code + layout->locals.cellvars, scene->names);
        put(scene, scene->code + layout->locals.freevars, make_tuple(scene, 0));
    }
    add_name(scene, name);
}

static void make_types(struct scene *scene)
{
    struct python_heap *heap = scene->heap;
    bool is_of_2 = scene->layout->container_format == CONTAINERS_2;
    scene->object_type = python_heap_alloc(heap, TYPE_LEN);
    complete_type(scene, scene->object_type, "object", 0, scene->object_type);
    scene->str_type = is_of_2 ? heap->str_type : python_heap_alloc(heap, TYPE_LEN);
    complete_type(scene, scene->str_type, "str", is_of_2 ? 1 << 27 : 1 << 28, scene->str_type);
    scene->int_type = heap->int_type;
    complete_type(scene, scene->int_type, "int", 1 << 23 | 1 << 24, scene->int_type);
    scene->list_type = make_type(scene, "list", 1 << 25, 0);
    scene->tuple_type = make_type(scene, "tuple", 1 << 26, 0);
    scene->dict_type = make_type(scene, "dict", 1 << 29, 0);
    scene->cell_type = make_type(scene, "cell", 0, 0);
    scene->plain_type = make_type(scene, "Plain", FLAG_HEAP, scene->object_type);
}

static void make_code(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    remote_addr code = scene->code = python_heap_code(scene->heap, "f", "a.py", 1);
    scene->names = make_tuple(scene, VARIABLE_COUNT + 1);
    put(scene, code + layout->locals.names, scene->names);
    python_heap_put_u32(scene->heap, code + layout->locals.arg_count, 1);
    python_heap_put_u32(scene->heap, code + layout->locals.flags, 0x4);
    if (has_kinds(scene)) {
        static const unsigned char kinds[] = {KIND_LOCAL, KIND_LOCAL, KIND_LOCAL, KIND_LOCAL,
                                              KIND_LOCAL, KIND_LOCAL, KIND_CELL};
        put(scene, code + layout->locals.kinds, python_heap_bytes(scene->heap, kinds, sizeof(kinds)));
    }
}

static void scene_init(struct scene *scene, const struct layout *layout)
{
    *scene = (struct scene){.heap = python_heap_create(layout, HEAP_LEN)};
    scene->layout = scene->heap->layout;
    scene->heap->fake.after_piece = count_read;
    make_types(scene);
    make_code(scene);
    remote_addr interpreter = python_heap_interpreter(scene->heap);
    struct heap_thread thread = python_heap_thread(scene->heap, interpreter, 1);
    python_heap_attach(scene->heap, interpreter, &thread);
    python_heap_enter(scene->heap, &thread);
    scene->frame = python_heap_alloc(scene->heap, FRAME_LEN);
    scene->slots = scene->frame + scene->layout->locals.first;
    python_heap_put_frame(scene->heap, &thread, scene->frame, scene->code, 3, PYTHON_HEAP_OWNER_GENERATOR);
    scene->python = python_heap_open(scene->heap);
    assert_null(python_variables_create(scene->python, TEXT_LIMIT, &scene->variables));
}

static void scene_deinit(struct scene *scene)
{
    python_variables_destroy(scene->variables);
    python_destroy(scene->python);
    python_heap_destroy(scene->heap);
}

static void fill(struct scene *scene)
{
    remote_addr number = make_int(scene, 1234567890123), text = make_str(scene, "it's");
    remote_addr list = make_list(scene, (remote_addr[]){number, 0}, 2), plain = make_object(scene, scene->plain_type);
    remote_addr row = make_tuple(scene, 1);
    put(scene, row + scene->layout->object.var_size, 1);
    put(scene, row + scene->layout->tuple.items, list);
    remote_addr items;
    memcpy(&items, python_heap_bytes_at(scene->heap, list + scene->layout->list.items), sizeof(items));
    put(scene, items + 8, list);
    add_variable(scene, "number", number);
    add_variable(scene, "rest", row);
    add_variable(scene, "text", text);
    add_variable(scene, "unset", 0);
    add_variable(scene, "mapping", make_dict(scene, text, list));
    add_variable(scene, "plain", plain);
    add_cell(scene, "cell", number);
}

/* Reads the variables of the one frame; its number of variables, or 0 when the walk does not find it. */
static const struct python_variable *read_variables(struct scene *scene, uint32_t *ret_count)
{
    struct memory *memory = &scene->heap->fake.memory;
    uint32_t count;
    *ret_count = 0;
    reads = 0;
    python_begin_sample(scene->python);
    if (python_list_threads(scene->python, memory) != PYTHON_OK)
        return NULL;
    struct python_thread *threads = python_threads(scene->python, &count);
    if (count == 0 || python_walk_thread(scene->python, memory, &threads[0]) != PYTHON_OK ||
        threads[0].frame_count == 0)
        return NULL;
    return python_variables_read(scene->variables, memory, &python_frames(scene->python)[threads[0].first_frame],
                                 ret_count);
}

static void on_each_version(void (*test)(struct scene *scene))
{
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    for (uint32_t i = 0; i < count; i++) {
        struct scene scene;
        scene_init(&scene, &layouts[i]);
        fill(&scene);
        test(&scene);
        scene_deinit(&scene);
    }
}

static void check_variable(const struct python_variable *variable, const char *name, const char *value,
                           bool is_argument)
{
    assert_string_equal(variable->name, name);
    assert_int_equal(variable->name_len, strlen(name));
    assert_string_equal(variable->value, value);
    assert_int_equal(variable->value_len, strlen(value));
    assert_int_equal(variable->is_argument, is_argument);
}

static void check_all(struct scene *scene)
{
    uint32_t count;
    const struct python_variable *variables = read_variables(scene, &count);
    assert_int_equal(count, VARIABLE_COUNT);
    check_variable(&variables[0], "number", "1234567890123", true);
    check_variable(&variables[1], "rest", "([1234567890123, [...]],)", true);
    check_variable(&variables[2], "text", "\"it's\"", false);
    check_variable(&variables[3], "mapping", "{\"it's\": [1234567890123, [...]]}", false);
    assert_string_equal(variables[4].name, "plain");
    assert_memory_equal(variables[4].value, "<Plain object at 0x7f", strlen("<Plain object at 0x7f"));
    check_variable(&variables[5], "cell", "1234567890123", false);
}

static void variables_are_read_with_their_values(void **state)
{
    (void)state;
    on_each_version(check_all);
}

/* Steele, Lea and Flood's splitmix64: small, and the same everywhere. */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t mixed = *seed += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    return mixed ^ mixed >> 31;
}

/* What a word becomes: an edge, itself with another bit, or an address of something else. */
static uint64_t break_word(const struct scene *scene, uint64_t word, uint64_t *seed)
{
    static const uint64_t edges[] = {0, 1, 3, 255, UINT32_MAX, INT64_MAX, UINT64_MAX, 1ULL << 60};
    remote_addr start = scene->heap->runtime;
    switch (next_random(seed) % 4) {
    case 0:
        return edges[next_random(seed) % array_size(edges)];
    case 1:
        return word ^ 1ULL << next_random(seed) % 64;
    case 2:
        return start + next_random(seed) % scene->heap->used;
    default:
        return (start + next_random(seed) % scene->heap->used) & ~7ULL;
    }
}

static void check_broken(struct scene *scene)
{
    uint32_t count;
    const struct python_variable *variables = read_variables(scene, &count);
    assert_in_range(reads, 1, READ_LIMIT);
    for (uint32_t i = 0; i < count; i++) {
        size_t characters = 0;
        for (size_t k = 0; k < variables[i].value_len; k++)
            characters += ((unsigned char)variables[i].value[k] & 0xc0) != 0x80;
        assert_in_range(characters, 0, TEXT_LIMIT);
        assert_int_equal(variables[i].value[variables[i].value_len], '\0');
        assert_int_equal(variables[i].name[variables[i].name_len], '\0');
    }
}

/* The part of the heap that holds the types, the code object and the values, word by word and at random. */
static void break_often(struct scene *scene)
{
    uint64_t seed = scene->layout->version;
    for (int i = 0; i < MUTATION_COUNT; i++) {
        remote_addr at = scene->heap->runtime + (next_random(&seed) % scene->heap->used & ~7ULL);
        uint64_t word;
        memcpy(&word, python_heap_bytes_at(scene->heap, at), sizeof(word));
        if (word == 0 && next_random(&seed) % 8 != 0)
            continue;
        put(scene, at, break_word(scene, word, &seed));
        check_broken(scene);
        put(scene, at, word);
    }
    check_all(scene);
}

static void broken_memory_is_read_to_an_end(void **state)
{
    (void)state;
    on_each_version(break_often);
}

/* More names than there are slots for, and a number of arguments that nobody has. */
static void break_counts(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    uint32_t count;
    python_heap_put_u32(scene->heap, scene->code + layout->locals.arg_count, UINT32_MAX);
    const struct python_variable *variables = read_variables(scene, &count);
    assert_int_equal(count, VARIABLE_COUNT);
    for (uint32_t i = 0; i < count; i++)
        assert_false(variables[i].is_argument);
    put(scene, scene->names + layout->object.var_size, UINT64_MAX);
    read_variables(scene, &count);
    assert_in_range(count, 1, PYTHON_VARIABLE_LIMIT);
}

static void counts_that_are_too_large_do_no_harm(void **state)
{
    (void)state;
    on_each_version(break_counts);
}

static void check_pointer(struct scene *scene)
{
    uint32_t count;
    put(scene, scene->slots, 0x123456789000);
    const struct python_variable *variables = read_variables(scene, &count);
    assert_int_equal(count, VARIABLE_COUNT);
    check_variable(&variables[0], "number", "<unreadable>", true);
}

static void what_is_not_mapped_is_said_to_be(void **state)
{
    (void)state;
    on_each_version(check_pointer);
}

/* CPython 3.14 Include/internal/pycore_stackref.h: a number may stand where a pointer would. */
static void check_tag(struct scene *scene)
{
    uint32_t count;
    if (scene->layout->locals.tag == 0)
        return;
    put(scene, scene->slots, (uint64_t)-5 << 2 | 3);
    put(scene, scene->slots + 16, 1);
    const struct python_variable *variables = read_variables(scene, &count);
    assert_int_equal(count, VARIABLE_COUNT - 1);
    check_variable(&variables[0], "number", "-5", true);
    assert_string_equal(variables[2].name, "mapping");
}

static void tagged_words_are_understood(void **state)
{
    (void)state;
    on_each_version(check_tag);
}

static void a_mark_has_no_variables(void **state)
{
    (void)state;
    struct scene scene;
    uint32_t count = 7;
    scene_init(&scene, layout_of_version(3, 12, false));
    const struct python_frame mark = {.code = PYTHON_CODE_UNREADABLE};
    assert_null(python_variables_read(scene.variables, &scene.heap->fake.memory, &mark, &count));
    assert_int_equal(count, 0);
    scene_deinit(&scene);
    python_variables_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_read_with_their_values), cmocka_unit_test(broken_memory_is_read_to_an_end),
        cmocka_unit_test(counts_that_are_too_large_do_no_harm), cmocka_unit_test(what_is_not_mapped_is_said_to_be),
        cmocka_unit_test(tagged_words_are_understood),          cmocka_unit_test(a_mark_has_no_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
