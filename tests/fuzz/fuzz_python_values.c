/* SPDX-License-Identifier: MIT */
/*
 * Objects of each version as the values of a function's variables: types that are known by name and classes of Python
 * code, containers, dicts of each kind, instances, put together and broken as the input says. Byte 0 chooses the
 * layout, byte 1 the limit of characters; the rest are steps.
 *
 * For: src/python/value.c src/python/value_array.c src/python/value_code.c src/python/value_container.c
 * For: src/python/value_instance.c src/python/value_scalar.c src/python/value_text.c src/python/value_time.c
 * For: src/python/dict.c src/python/number.c src/python/object_type.c src/python/variables.c src/python/printable.c
 * For: src/python/lock.c src/python/method.c
 * Options: -max_len=2048
 */
#include "base/buffer.h"
#include "fuzz_input.h"
#include "hostile_memory.h"
#include "python/layout.h"
#include "python/lock.h"
#include "python/value.h"
#include "python/variables.h"
#include "python/walk.h"
#include "python_heap.h"
#include "python_reading.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
    HEAP_LEN = 224 * 1024,
    HEAP_ROOM = 8 * 1024, /* what one step takes at most */
    STEP_LIMIT = 160,
    THING_LIMIT = 256,
    TYPE_LEN = 1024,
    FRAME_LEN = 1024,
    WORD_COUNT = 18, /* of an object, behind its head */
    WORDS_BEFORE = 6,
    ENTRY_COUNT = 8, /* of a dict or set */
    VARIABLE_COUNT = 10,
    WORD_LEN = sizeof(uint64_t),
    TOTAL_LIMIT = 5000, /* of steps: those of a real sample take too long */
    /* Twice what is read of all values, and a look-up in a class that began before. */
    PIECE_LIMIT = 2 * (VALUE_READ_LIMIT + 4 * TYPE_ENTRY_LIMIT),
};

/* CPython Objects/ and Modules/, NumPy: names of types whose values are written. */
static const char *const type_names[] = {
    "object",
    "NoneType",
    "ellipsis",
    "NotImplementedType",
    "bool",
    "int",
    "long",
    "float",
    "complex",
    "str",
    "unicode",
    "bytes",
    "bytearray",
    "list",
    "tuple",
    "dict",
    "frozendict",
    "collections.defaultdict",
    "collections.OrderedDict",
    "set",
    "frozenset",
    "collections.deque",
    "range",
    "xrange",
    "slice",
    "type",
    "classobj",
    "instance",
    "function",
    "builtin_function_or_method",
    "method",
    "module",
    "code",
    "generator",
    "coroutine",
    "cell",
    "BaseException",
    "exceptions.BaseException",
    "datetime.date",
    "datetime.datetime",
    "datetime.time",
    "datetime.timedelta",
    "datetime.timezone",
    "numpy.ndarray",
    "numpy.bool_",
    "numpy.int8",
    "numpy.uint8",
    "numpy.int16",
    "numpy.uint16",
    "numpy.int32",
    "numpy.uint32",
    "numpy.int64",
    "numpy.uint64",
    "numpy.float16",
    "numpy.float32",
    "numpy.float64",
    "numpy.complex64",
    "numpy.complex128",
    "numpy.str_",
    "numpy.bytes_",
    "Enum",
    "Flag",
    "EnumType",
    "EnumMeta",
    "BuiltinImporter",
    "FrozenImporter",
    "_thread.lock",
    "_thread.RLock",
    "_queue.SimpleQueue",
    "thread.lock",
    "_thread._ThreadHandle",
    "staticmethod",
    "classmethod",
    "property",
};

/* What classes, modules and instances are looked through for, and what is in there. */
static const char *const texts[] = {
    "__repr__",
    "_fields",
    "__dataclass_fields__",
    "_name_",
    "_value_",
    "_FIELD",
    "name",
    "repr",
    "_field_type",
    "__module__",
    "__name__",
    "__spec__",
    "__file__",
    "__loader__",
    "origin",
    "_set_fileattr",
    "builtins",
    "self",
    "cls",
    "lib/dataclasses.py",
    "reprlib.py",
    "x",
    "A.f",
    "_RLock__block",
    "_RLock__owner",
    "_block",
    "_owner",
    "_tstate_lock",
    "_ident",
    "wakeup",
    "owner",
    "<dummy key>",
    "",
};

/* One input. */
struct scene {
    struct fuzz_input input;
    const struct layout *layout;
    struct python_heap *heap;
    struct hostile_memory hostile;
    remote_addr things[THING_LIMIT]; /* whatever was made */
    unsigned thing_count;
    remote_addr object_type, tuple_type, frame, slots, code, last_keys;
    remote_addr types[sizeof(type_names) / sizeof(type_names[0])]; /* 0: not made yet */
    unsigned slot_count;
};

static remote_addr keep(struct scene *scene, remote_addr thing)
{
    if (scene->thing_count < THING_LIMIT)
        scene->things[scene->thing_count++] = thing;
    return thing;
}

/* The last ones by small numbers, so that what was just made is used. */
static remote_addr choose_thing(struct scene *scene)
{
    return scene->things[scene->thing_count - 1 - fuzz_below(&scene->input, scene->thing_count)];
}

static void put(struct scene *scene, remote_addr address, uint64_t value)
{
    python_heap_put_u64(scene->heap, address, value);
}

static uint64_t choose_word(struct scene *scene)
{
    uint8_t how = fuzz_byte(&scene->input);
    switch (how >> 5) {
    case 0:
        return how;
    case 1:
        return fuzz_edge(&scene->input);
    case 2:
        return fuzz_number(&scene->input, WORD_LEN);
    case 3:
        return choose_thing(scene) + how % 32;
    case 4:
        return choose_thing(scene) + 16;
    default:
        return choose_thing(scene);
    }
}

/* --- types --------------------------------------------------------------------------------------------------- */

static remote_addr make_c_string(struct scene *scene, const char *text)
{
    size_t len = strlen(text) + 1;
    remote_addr address = python_heap_alloc(scene->heap, len);
    memcpy(python_heap_bytes_at(scene->heap, address), text, len);
    return address;
}

static remote_addr make_type(struct scene *scene, const char *name, uint64_t flags, remote_addr base)
{
    const struct layout *layout = scene->layout;
    remote_addr type = python_heap_alloc(scene->heap, TYPE_LEN);
    put(scene, type + layout->type.name, make_c_string(scene, name));
    put(scene, type + layout->type.flags, flags);
    put(scene, type + layout->type.base, base);
    put(scene, type + layout->type.repr, base ? base : type);
    put(scene, type + layout->type.basic_size, 2 * WORD_LEN);
    return type;
}

static remote_addr known_type(struct scene *scene, size_t index)
{
    /* CPython Include/object.h: bits of tp_flags that say of what kind a type is. */
    static const struct {
        const char *name;
        uint64_t flags;
    } flags[] = {{"int", 3 << 23}, {"str", 3 << 27}, {"list", 1 << 25}, {"tuple", 1 << 26}, {"type", 1U << 31}};
    uint64_t found = 0;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        found |= strcmp(flags[i].name, type_names[index]) == 0 ? flags[i].flags : 0;
    if (scene->types[index] == 0)
        scene->types[index] = make_type(scene, type_names[index], found, scene->object_type);
    return scene->types[index];
}

static remote_addr named_type(struct scene *scene, const char *name)
{
    size_t index = 0;
    while (strcmp(type_names[index], name) != 0)
        index++;
    return known_type(scene, index);
}

static remote_addr typed(struct scene *scene, remote_addr object, remote_addr type)
{
    put(scene, object + scene->layout->object.type, type);
    return object;
}

static remote_addr make_str(struct scene *scene, const char *text)
{
    return typed(scene, python_heap_text(scene->heap, text), named_type(scene, "str"));
}

static remote_addr make_tuple(struct scene *scene, const remote_addr *items, size_t count)
{
    const struct layout *layout = scene->layout;
    remote_addr tuple = python_heap_alloc(scene->heap, layout->tuple.items + (count + 1) * WORD_LEN);
    put(scene, tuple + layout->object.var_size, count);
    for (size_t i = 0; i < count; i++)
        put(scene, tuple + layout->tuple.items + i * WORD_LEN, items[i]);
    return typed(scene, tuple, scene->tuple_type);
}

/* A class that Python code made: of some base, with a dict, slots and perhaps split attributes. */
static void add_class(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    /* CPython Include/object.h: inline values, managed dict, heap type. */
    static const uint64_t flags[] = {1 << 9, 1 << 9 | 1 << 4, 1 << 9 | 1 << 4 | 1 << 2, 0};
    uint8_t how = fuzz_byte(&scene->input);
    remote_addr base = how & 4 ? choose_thing(scene)
                               : known_type(scene, fuzz_below(&scene->input, sizeof(type_names) / sizeof(*type_names)));
    char name[12] = "m.A";
    if (how & 8)
        fuzz_fill(&scene->input, name, sizeof(name) - 1);
    remote_addr type = keep(scene, make_type(scene, name, flags[how % 4], base));
    put(scene, type + layout->type.repr, how & 16 ? base : type);
    put(scene, type + layout->type.dict, choose_thing(scene));
    put(scene, type + layout->type.mro, make_tuple(scene, (remote_addr[]){type, base, scene->object_type}, 3));
    if (layout->type.qualname != LAYOUT_NONE) {
        put(scene, type + layout->type.qualname, choose_thing(scene));
        put(scene, type + layout->type.cached_keys, scene->last_keys);
    }
    put(scene, type + layout->type.dict_offset, (uint64_t)(int64_t)(int8_t)fuzz_byte(&scene->input));
    typed(scene, type, how & 32 ? choose_thing(scene) : named_type(scene, "type"));
    if (how & 64) {
        /* CPython Include/structmember.h: PyMemberDef: name, type, offset; and an empty one. */
        remote_addr members = python_heap_alloc(scene->heap, 96);
        put(scene, members, make_c_string(scene, "slot"));
        python_heap_put_u32(scene->heap, members + 8, 16);
        put(scene, members + 16, fuzz_byte(&scene->input));
        put(scene, type + layout->type.members, members);
    }
}

/* --- objects ------------------------------------------------------------------------------------------------- */

/* Words in front of an object, and behind its head. */
static void add_object(struct scene *scene)
{
    uint8_t how = fuzz_byte(&scene->input);
    remote_addr type =
        how == 255 ? choose_thing(scene) : known_type(scene, how % (sizeof(type_names) / sizeof(*type_names)));
    remote_addr block = python_heap_alloc(scene->heap, (WORDS_BEFORE + 8 + WORD_COUNT) * WORD_LEN);
    remote_addr object = block + (uint64_t)WORDS_BEFORE * WORD_LEN;
    size_t count = fuzz_below(&scene->input, WORD_COUNT + 1);
    for (size_t i = 0; i < count; i++)
        put(scene, object + scene->layout->object.var_size + i * WORD_LEN, choose_word(scene));
    typed(scene, keep(scene, object), type);
}

/* An object whose head, or some more of it, is the last thing in memory. */
static void add_object_at_end(struct scene *scene)
{
    uint8_t how = fuzz_byte(&scene->input);
    remote_addr type = known_type(scene, how % (sizeof(type_names) / sizeof(*type_names)));
    remote_addr end = scene->heap->runtime + scene->heap->len;
    remote_addr object = end - scene->layout->object.type - (1 + fuzz_byte(&scene->input) % 16U) * WORD_LEN;
    keep(scene, typed(scene, object, type));
}

static void add_instance(struct scene *scene)
{
    remote_addr block = python_heap_alloc(scene->heap, (WORDS_BEFORE + 8 + WORD_COUNT) * WORD_LEN);
    remote_addr object = block + (uint64_t)WORDS_BEFORE * WORD_LEN;
    remote_addr type = choose_thing(scene);
    for (unsigned i = 0; i < WORDS_BEFORE; i++)
        put(scene, block + i * WORD_LEN, choose_word(scene));
    put(scene, object + scene->layout->object.var_size, choose_word(scene));
    put(scene, object + scene->layout->object.var_size + WORD_LEN, choose_word(scene));
    typed(scene, keep(scene, object), type);
}

static void add_text(struct scene *scene)
{
    uint8_t how = fuzz_byte(&scene->input);
    static const unsigned kinds[] = {1, 1, 2, 4};
    unsigned char characters[32 * 4];
    if (!(how & 0x80)) {
        keep(scene, make_str(scene, texts[how % (sizeof(texts) / sizeof(*texts))]));
        return;
    }
    size_t count = how >> 2 & 31;
    fuzz_fill(&scene->input, characters, count * kinds[how % 4]);
    remote_addr text = python_heap_str(scene->heap, characters, count, kinds[how % 4], how % 4 == 0);
    bool is_wide_2 = scene->layout->container_format == CONTAINERS_2 && how % 4 != 0;
    keep(scene, typed(scene, text, named_type(scene, is_wide_2 ? "unicode" : "str")));
}

static void add_number(struct scene *scene)
{
    remote_addr number = python_heap_int(scene->heap, fuzz_edge(&scene->input));
    keep(scene, typed(scene, number, named_type(scene, "int")));
}

/* A list, a tuple or a deque of things. */
static void add_sequence(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    uint8_t how = fuzz_byte(&scene->input);
    remote_addr items[ENTRY_COUNT] = {0}, list;
    size_t count = how % (ENTRY_COUNT + 1);
    for (size_t i = 0; i < count; i++)
        items[i] = choose_thing(scene);
    remote_addr tuple = keep(scene, make_tuple(scene, items, count));
    if (how & 16) {
        list = python_heap_alloc(scene->heap, (8 + WORD_COUNT) * WORD_LEN);
        put(scene, list + layout->object.var_size, count);
        put(scene, list + layout->list.items, how & 32 ? list + layout->list.items : tuple + layout->tuple.items);
        keep(scene, typed(scene, list, named_type(scene, how & 64 ? "collections.deque" : "list")));
    }
}

static size_t put_entries(struct scene *scene, remote_addr first, unsigned words, remote_addr values)
{
    size_t count = fuzz_below(&scene->input, ENTRY_COUNT + 1);
    for (size_t i = 0; i < count; i++) {
        remote_addr entry = first + (i * words + words - 2) * WORD_LEN;
        put(scene, entry, choose_thing(scene));
        put(scene, values ? values + i * WORD_LEN : entry + WORD_LEN, choose_thing(scene));
    }
    return count;
}

/* A dict whose keys object has its indices in eight bytes: general, of texts, or split. */
static void add_dict(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    uint8_t how = fuzz_byte(&scene->input);
    remote_addr dict = python_heap_alloc(scene->heap, (8 + WORD_COUNT) * WORD_LEN);
    remote_addr keys = python_heap_alloc(scene->heap, 512), values = python_heap_alloc(scene->heap, 256) + 64;
    static const char *const names[] = {"dict", "dict", "collections.OrderedDict", "collections.defaultdict"};
    typed(scene, dict, named_type(scene, names[how >> 4 & 3]));
    if (layout->container_format == CONTAINERS_2) {
        put(scene, dict + layout->dict.table, keys);
        put(scene, dict + layout->dict.mask, how & 0x80 ? UINT64_MAX : ENTRY_COUNT - 1);
        put_entries(scene, keys, 3, 0);
        keep(scene, dict);
        return;
    }
    bool is_split = how & 2;
    unsigned kind = layout->dict.kind != LAYOUT_NONE ? how % 3 : 0;
    put(scene, dict + layout->dict.keys, keys);
    if (is_split)
        put(scene, dict + layout->dict.values, values);
    if (layout->dict.kind != LAYOUT_NONE) {
        python_heap_put_u8(scene->heap, keys + layout->dict.kind, kind);
        python_heap_put_u8(scene->heap, keys + layout->dict.log2_index_bytes, 3);
    } else {
        put(scene, keys + layout->dict.size, 8);
    }
    size_t count = put_entries(scene, keys + layout->dict.indices + WORD_LEN, kind == 0 ? 3 : 2,
                               is_split ? values + layout->dict.first_value : 0);
    put(scene, keys + layout->dict.entry_count, how & 0x80 ? UINT64_MAX : count);
    /* How many values, and in which order they were made, in front of them. */
    if (is_split && layout->attribute_format != ATTRIBUTES_DICT)
        fuzz_fill(&scene->input, python_heap_bytes_at(scene->heap, values - 16), 20);
    scene->last_keys = keep(scene, keys);
    keep(scene, values);
    keep(scene, dict);
}

static void add_set(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    remote_addr set = python_heap_alloc(scene->heap, (8 + WORD_COUNT) * WORD_LEN);
    remote_addr table = python_heap_alloc(scene->heap, (ENTRY_COUNT + 1) * 2 * WORD_LEN);
    uint8_t how = fuzz_byte(&scene->input);
    put(scene, set + layout->set.mask - WORD_LEN, how & 8);
    put(scene, set + layout->set.mask, how & 16 ? UINT64_MAX : how % ENTRY_COUNT);
    put(scene, set + layout->set.table, table);
    for (unsigned i = 0; i < how % ENTRY_COUNT; i++) {
        put(scene, table + 2ULL * i * WORD_LEN + layout->set.key, choose_thing(scene));
        put(scene, table + 2ULL * i * WORD_LEN + WORD_LEN - layout->set.key, choose_word(scene));
    }
    keep(scene, typed(scene, set, named_type(scene, how & 32 ? "frozenset" : "set")));
}

/* A function of some code. */
static void add_function(struct scene *scene)
{
    const struct layout *layout = scene->layout;
    remote_addr code = python_heap_code(scene->heap, "f", "a.py", 1);
    remote_addr function = python_heap_alloc(scene->heap, 256);
    put(scene, code + layout->code.filename, choose_thing(scene));
    put(scene, function + layout->function.code, keep(scene, code));
    put(scene, function + layout->function.name, choose_thing(scene));
    keep(scene, typed(scene, function, named_type(scene, "function")));
}

static void break_something(struct scene *scene)
{
    remote_addr address = choose_thing(scene) + fuzz_byte(&scene->input) * 4ULL;
    uint8_t how = fuzz_byte(&scene->input);
    uint64_t word = how & 4 ? address : choose_word(scene);
    if (address < scene->heap->runtime || address + WORD_LEN > scene->heap->runtime + scene->heap->used)
        return;
    memcpy(python_heap_bytes_at(scene->heap, address), &word, how & 3 ? (how & 1 ? 1 : 4) : WORD_LEN);
}

/* --- variables ----------------------------------------------------------------------------------------------- */

static void add_variable(struct scene *scene)
{
    if (scene->slot_count == VARIABLE_COUNT)
        return;
    put(scene, scene->slots + (remote_addr)scene->slot_count++ * WORD_LEN, choose_word(scene));
}

static void make_frame(struct scene *scene, remote_addr interpreter)
{
    const struct layout *layout = scene->layout;
    remote_addr names[VARIABLE_COUNT], code = scene->code = python_heap_code(scene->heap, "f", "a.py", 1);
    unsigned char kinds[VARIABLE_COUNT];
    struct heap_thread thread = python_heap_thread(scene->heap, interpreter, 1);
    for (unsigned i = 0; i < VARIABLE_COUNT; i++) {
        names[i] = make_str(scene, i == 0 ? "self" : "v");
        kinds[i] = i == VARIABLE_COUNT - 1 ? 0x40 : 0x20; /* CPython 3.11 Include/internal/pycore_code.h: cell, local */
    }
    put(scene, code + layout->locals.names, keep(scene, make_tuple(scene, names, VARIABLE_COUNT)));
    python_heap_put_u32(scene->heap, code + layout->locals.arg_count, 1);
    if (layout->locals.kinds != LAYOUT_NONE) {
        put(scene, code + layout->locals.kinds, keep(scene, python_heap_bytes(scene->heap, kinds, VARIABLE_COUNT)));
    } else {
        remote_addr none = make_tuple(scene, NULL, 0);
        python_heap_put_u32(scene->heap, code + layout->locals.local_count, VARIABLE_COUNT - 1);
        put(scene, code + layout->locals.cellvars, make_tuple(scene, names, 1));
        put(scene, code + layout->locals.freevars, none);
    }
    python_heap_attach(scene->heap, interpreter, &thread);
    python_heap_enter(scene->heap, &thread);
    scene->frame = python_heap_alloc(scene->heap, FRAME_LEN);
    scene->slots = scene->frame + layout->locals.first;
    python_heap_put_frame(scene->heap, &thread, scene->frame, code, 3, PYTHON_HEAP_OWNER_GENERATOR);
    keep(scene, code);
    keep(scene, scene->frame);
}

/* --- steps --------------------------------------------------------------------------------------------------- */

static void (*const steps[])(struct scene *scene) = {
    add_object, add_object_at_end, add_text,     add_number,   add_sequence, add_dict,        add_set,      add_class,
    add_class,  add_instance,      add_instance, add_function, add_variable, break_something, add_variable, add_dict,
};

static void scene_init(struct scene *scene, const uint8_t *bytes, size_t len)
{
    uint32_t count;
    const struct layout *layouts = layout_all(&count);
    memset(scene, 0, sizeof(*scene));
    scene->input = fuzz_begin(bytes, len);
    scene->heap = python_heap_create(&layouts[fuzz_byte(&scene->input) % count], HEAP_LEN);
    scene->layout = scene->heap->layout;
    hostile_memory_init(&scene->hostile, &scene->heap->fake.memory);
    scene->hostile.piece_limit = PIECE_LIMIT;
    scene->object_type = make_type(scene, "object", 0, 0);
    scene->tuple_type = named_type(scene, "tuple");
    keep(scene, scene->heap->none);
    make_frame(scene, python_heap_interpreter(scene->heap));
}

/* Each value by itself, which is cheaper than to look at all variables of a frame. */
static void write_last_things(struct scene *scene, uint32_t limit)
{
    struct buffer out = {0};
    struct values values;
    values_init(&values, scene->layout);
    values_begin_sample(&values, &scene->hostile.memory);
    values.total_left = TOTAL_LIMIT;
    for (unsigned i = 0; i < 4; i++) {
        buffer_clear(&out);
        values_write(&values, choose_thing(scene), limit, &out);
        fuzz_require(out.len <= 4 * (size_t)limit + 4, "length of a value");
        fuzz_require(scene->layout->container_format == CONTAINERS_2 ||
                         python_reading_is_text(buffer_text(&out), out.len),
                     "a value is UTF-8");
    }
    values_deinit(&values);
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct scene scene;
    scene_init(&scene, bytes, len);
    uint8_t how = fuzz_byte(&scene.input);
    scene.hostile.world = how >> 3 < WORLD_COUNT ? how >> 3 : WORLD_FAULTS;
    scene.hostile.has_views = how & 4;
    for (unsigned i = 0; i < STEP_LIMIT && fuzz_left(&scene.input) > 0; i++) {
        uint8_t step = fuzz_byte(&scene.input);
        if (scene.heap->used + HEAP_ROOM < scene.heap->len)
            steps[step % (sizeof(steps) / sizeof(steps[0]))](&scene);
    }
    write_last_things(&scene, how & 1 ? 16 : 300);
    if (how & 2 && scene.hostile.world == WORLD_FAULTS) {
        struct python *python = python_heap_open(scene.heap);
        fuzz_require(python, "memory");
        python_reading_run(python, &scene.hostile.memory, READING_VARIABLES | READING_LOCKS | READING_DETAILS);
        python_destroy(python);
    }
    python_heap_destroy(scene.heap);
    return 0;
}
