/* SPDX-License-Identifier: MIT */
#include "object_type.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "dict.h"
#include "layout.h"
#include "text.h"

#include <string.h>

enum {
    STRING_STEP = 16,   /* bytes read at a time: a divisor of the page's length */
    FLAG_HEAP = 1 << 9, /* CPython Include/object.h: Py_TPFLAGS_HEAPTYPE */
    IN_2 = 1,           /* which versions a name is for */
    IN_3 = 2,
    IN_ALL = IN_2 | IN_3,
};

/* CPython Objects/ and Modules/, NumPy core/include/numpy/arrayscalars.h: the names of types. */
static const struct known_type {
    const char *name;
    enum value_kind kind;
    char detail;
    unsigned char versions;
} known_types[] = {
    {"object", VALUE_OBJECT, 0, IN_ALL},
    {"NoneType", VALUE_NONE, 0, IN_ALL},
    {"ellipsis", VALUE_ELLIPSIS, 0, IN_ALL},
    {"NotImplementedType", VALUE_NOT_IMPLEMENTED, 0, IN_ALL},
    {"bool", VALUE_BOOL, 0, IN_ALL},
    {"int", VALUE_INT, 0, IN_3},
    {"int", VALUE_INT_2, 0, IN_2},
    {"long", VALUE_LONG_2, 0, IN_2},
    {"float", VALUE_FLOAT, 0, IN_ALL},
    {"complex", VALUE_COMPLEX, 0, IN_ALL},
    {"str", VALUE_STR, 0, IN_3},
    {"unicode", VALUE_UNICODE_2, 0, IN_2},
    {"bytes", VALUE_BYTES, 0, IN_3},
    {"str", VALUE_BYTES_2, 0, IN_2},
    {"bytearray", VALUE_BYTE_ARRAY, 0, IN_ALL},
    {"list", VALUE_LIST, 0, IN_ALL},
    {"tuple", VALUE_TUPLE, 0, IN_ALL},
    {"dict", VALUE_DICT, 0, IN_ALL},
    {"frozendict", VALUE_FROZEN_DICT, 0, IN_3},
    {"collections.defaultdict", VALUE_DEFAULT_DICT, 0, IN_3},
    {"collections.OrderedDict", VALUE_ORDERED_DICT, 0, IN_3},
    {"set", VALUE_SET, 0, IN_ALL},
    {"frozenset", VALUE_FROZEN_SET, 0, IN_ALL},
    {"collections.deque", VALUE_DEQUE, 0, IN_3},
    {"range", VALUE_RANGE, 0, IN_3},
    {"xrange", VALUE_RANGE_2, 0, IN_2},
    {"slice", VALUE_SLICE, 0, IN_ALL},
    {"type", VALUE_CLASS, 0, IN_ALL},
    {"classobj", VALUE_CLASS_2, 0, IN_2},
    {"instance", VALUE_INSTANCE_2, 0, IN_2},
    {"function", VALUE_FUNCTION, 0, IN_ALL},
    {"builtin_function_or_method", VALUE_BUILTIN, 0, IN_ALL},
    {"method", VALUE_METHOD, 0, IN_3},
    {"module", VALUE_MODULE, 0, IN_ALL},
    {"code", VALUE_CODE, 0, IN_ALL},
    {"generator", VALUE_GENERATOR, 0, IN_3},
    {"coroutine", VALUE_GENERATOR, 0, IN_3},
    {"async_generator", VALUE_GENERATOR, 0, IN_3},
    {"cell", VALUE_CELL, 0, IN_ALL},
    {"BaseException", VALUE_EXCEPTION, 0, IN_3},
    {"exceptions.BaseException", VALUE_EXCEPTION, 0, IN_2},
    {"datetime.date", VALUE_DATE, 0, IN_ALL},
    {"datetime.datetime", VALUE_DATETIME, 0, IN_ALL},
    {"datetime.time", VALUE_TIME, 0, IN_ALL},
    {"datetime.timedelta", VALUE_TIME_DELTA, 0, IN_ALL},
    {"datetime.timezone", VALUE_TIME_ZONE, 0, IN_3},
    {"numpy.ndarray", VALUE_ARRAY, 0, IN_ALL},
    {"numpy.bool_", VALUE_ARRAY_SCALAR, '?', IN_ALL},
    {"numpy.bool", VALUE_ARRAY_SCALAR, '?', IN_ALL},
    {"numpy.int8", VALUE_ARRAY_SCALAR, 'b', IN_ALL},
    {"numpy.uint8", VALUE_ARRAY_SCALAR, 'B', IN_ALL},
    {"numpy.int16", VALUE_ARRAY_SCALAR, 'h', IN_ALL},
    {"numpy.uint16", VALUE_ARRAY_SCALAR, 'H', IN_ALL},
    {"numpy.int32", VALUE_ARRAY_SCALAR, 'i', IN_ALL},
    {"numpy.uint32", VALUE_ARRAY_SCALAR, 'I', IN_ALL},
    {"numpy.intc", VALUE_ARRAY_SCALAR, 'i', IN_ALL},
    {"numpy.uintc", VALUE_ARRAY_SCALAR, 'I', IN_ALL},
    {"numpy.int64", VALUE_ARRAY_SCALAR, 'l', IN_ALL},
    {"numpy.uint64", VALUE_ARRAY_SCALAR, 'L', IN_ALL},
    {"numpy.longlong", VALUE_ARRAY_SCALAR, 'l', IN_ALL},
    {"numpy.ulonglong", VALUE_ARRAY_SCALAR, 'L', IN_ALL},
    {"numpy.float16", VALUE_ARRAY_SCALAR, 'e', IN_ALL},
    {"numpy.float32", VALUE_ARRAY_SCALAR, 'f', IN_ALL},
    {"numpy.float64", VALUE_ARRAY_SCALAR, 'd', IN_ALL},
    {"numpy.complex64", VALUE_ARRAY_SCALAR, 'F', IN_ALL},
    {"numpy.complex128", VALUE_ARRAY_SCALAR, 'D', IN_ALL},
    {"numpy.str_", VALUE_STR, 0, IN_3},
    {"numpy.bytes_", VALUE_BYTES, 0, IN_3},
};

static void free_type(struct object_type *type)
{
    if (type)
        free(type->facts);
    free(type);
}

void object_types_clear(struct object_types *types)
{
    for (uint32_t i = 0; i < types->count; i++)
        free_type(types->types[i].type);
    types->count = 0;
    table_clear(&types->by_address);
}

void object_types_deinit(struct object_types *types)
{
    object_types_clear(types);
    free(types->types);
    table_deinit(&types->by_address);
    *types = (struct object_types){0};
}

/* Puts a question mark in the place of each byte that belongs to no character, or to one that was cut. */
static void make_utf8(char *text)
{
    for (const char *at = text, *end = text + strlen(text); at < end;) {
        size_t start = (size_t)(at - text);
        if (utf8_next(&at, end) < 0)
            text[start] = '?';
    }
}

static bool read_bytes(struct memory *memory, remote_addr address, char *ret, size_t len)
{
    size_t done = 0;
    while (done < len) {
        size_t step = STRING_STEP - (address + done) % STRING_STEP;
        if (step > len - done)
            step = len - done;
        if (memory_read(memory, address + done, ret + done, step) != MEMORY_OK)
            return false;
        if (memchr(ret + done, '\0', step))
            return true;
        done += step;
    }
    ret[len - 1] = '\0';
    return true;
}

bool c_string_read(struct memory *memory, remote_addr address, char *ret, size_t len)
{
    if (!read_bytes(memory, address, ret, len))
        return false;
    make_utf8(ret);
    return true;
}

static bool read_name(const struct layout *layout, struct memory *memory, remote_addr type, char ret[TYPE_NAME_LEN])
{
    remote_addr name;
    return memory_read_u64(memory, type + layout->type.name, &name) == MEMORY_OK &&
           c_string_read(memory, name, ret, TYPE_NAME_LEN);
}

/* A name that has no module is that of a type of the interpreter's own, unless a program made it. */
static const struct known_type *find_known(const struct layout *layout, const char *name, bool is_heap)
{
    unsigned char version = layout->container_format == CONTAINERS_2 ? IN_2 : IN_3;
    if (is_heap && !strchr(name, '.'))
        return NULL;
    for (size_t i = 0; i < array_size(known_types); i++) {
        if (known_types[i].versions & version && strcmp(known_types[i].name, name) == 0)
            return &known_types[i];
    }
    return NULL;
}

/* Goes from base to base until one is known. */
static void find_kind(const struct layout *layout, struct memory *memory, struct object_type *type)
{
    char name[TYPE_NAME_LEN];
    remote_addr base = type->address;
    uint64_t flags, repr, own_repr;
    type->has_own_repr = true;
    if (memory_read_u64(memory, base + layout->type.repr, &own_repr) != MEMORY_OK)
        return;
    for (int i = 0; i < TYPE_BASE_LIMIT && base != 0; i++) {
        if (memory_read_u64(memory, base + layout->type.flags, &flags) != MEMORY_OK ||
            memory_read_u64(memory, base + layout->type.repr, &repr) != MEMORY_OK ||
            !read_name(layout, memory, base, name))
            return;
        const struct known_type *known = find_known(layout, name, flags & FLAG_HEAP);
        if (known) {
            type->kind = known->kind;
            type->detail = known->detail;
            type->is_exact = i == 0;
            type->has_own_repr = repr != own_repr;
            return;
        }
        if (memory_read_u64(memory, base + layout->type.base, &base) != MEMORY_OK)
            return;
    }
}

/* CPython 3.13 Objects/typeobject.c: object_repr(), type_module() and type_qualname(). */
static bool append_full_name(const struct layout *layout, struct memory *memory, const struct object_type *type,
                             struct buffer *name)
{
    remote_addr dict, module, qualname;
    if (!type->is_heap || memory_read_u64(memory, type->address + layout->type.dict, &dict) != MEMORY_OK ||
        !dict_find_early_text(layout, memory, dict, "__module__", &module) ||
        text_read(layout, memory, module, name) != PYTHON_OK)
        return false;
    if (strcmp(buffer_text(name), "builtins") == 0 || strcmp(buffer_text(name), "__builtin__") == 0)
        return false;
    buffer_append_char(name, '.');
    if (layout->type.qualname == LAYOUT_NONE) {
        buffer_append_text(name, type->name);
        return true;
    }
    return memory_read_u64(memory, type->address + layout->type.qualname, &qualname) == MEMORY_OK &&
           text_read(layout, memory, qualname, name) == PYTHON_OK;
}

static void read_full_name(const struct layout *layout, struct memory *memory, struct object_type *type)
{
    cleanup_buffer struct buffer name = {0};
    if (!append_full_name(layout, memory, type, &name) || name.failed || name.len == 0 ||
        name.len >= sizeof(type->full_name))
        memcpy(type->full_name, type->name, sizeof(type->full_name));
    else
        memcpy(type->full_name, name.data, name.len + 1);
}

static bool read_type(const struct layout *layout, struct memory *memory, remote_addr address, struct object_type *type)
{
    *type = (struct object_type){.address = address};
    if (memory_read_u64(memory, address + layout->type.flags, &type->flags) != MEMORY_OK ||
        !read_name(layout, memory, address, type->name))
        return false;
    type->is_heap = type->flags & FLAG_HEAP;
    find_kind(layout, memory, type);
    read_full_name(layout, memory, type);
    return true;
}

static bool has_address(const void *context, uint32_t index, const void *key)
{
    return ((const struct object_types *)context)->types[index].type->address == *(const remote_addr *)key;
}

const struct object_type *object_types_find(struct object_types *types, const struct layout *layout,
                                            struct memory *memory, remote_addr address)
{
    uint64_t hash = hash_number(address);
    uint32_t index = table_find(&types->by_address, hash, has_address, types, &address);
    if (index != TABLE_NONE)
        return types->types[index].type;
    struct object_type found;
    if (types->count >= TYPE_COUNT_LIMIT || !read_type(layout, memory, address, &found) ||
        !array_grow(&types->types, types->count, &types->capacity, sizeof(*types->types)))
        return NULL;
    struct object_type *kept = malloc(sizeof(*kept));
    if (kept) {
        *kept = found;
        kept->facts = calloc(1, sizeof(*kept->facts));
    }
    if (!kept || !kept->facts || !table_insert(&types->by_address, hash, types->count)) {
        free_type(kept);
        return NULL;
    }
    types->types[types->count++].type = kept;
    return kept;
}

/* A class's __mro__: how many classes of it are looked at. */
static bool open_mro(const struct layout *layout, struct memory *memory, remote_addr type, remote_addr *ret,
                     uint64_t *ret_count)
{
    if (memory_read_u64(memory, type + layout->type.mro, ret) != MEMORY_OK || *ret == 0 ||
        memory_read_u64(memory, *ret + layout->object.var_size, ret_count) != MEMORY_OK)
        return false;
    if (*ret_count > TYPE_MRO_LIMIT)
        *ret_count = TYPE_MRO_LIMIT;
    return true;
}

static bool read_class(const struct layout *layout, struct memory *memory, remote_addr mro, uint64_t index,
                       remote_addr *ret)
{
    return memory_read_u64(memory, mro + layout->tuple.items + index * sizeof(*ret), ret) == MEMORY_OK;
}

bool class_find_attribute(const struct layout *layout, struct memory *memory, remote_addr type, const char *name,
                          remote_addr *ret, remote_addr *ret_owner)
{
    struct dict_budget budget = {TYPE_ENTRY_LIMIT, UINT64_MAX, 0};
    remote_addr mro, class, dict;
    uint64_t count;
    if (!open_mro(layout, memory, type, &mro, &count))
        return false;
    for (uint64_t i = 0; i < count && read_class(layout, memory, mro, i, &class); i++) {
        if (memory_read_u64(memory, class + layout->type.dict, &dict) != MEMORY_OK || dict == 0 ||
            !dict_find_text(layout, memory, dict, name, &budget, ret))
            continue;
        *ret_owner = class;
        return true;
    }
    return false;
}

bool class_has_base(const struct layout *layout, struct memory *memory, remote_addr type, const char *name)
{
    char class_name[TYPE_NAME_LEN];
    remote_addr mro, class;
    uint64_t count;
    if (!open_mro(layout, memory, type, &mro, &count))
        return false;
    for (uint64_t i = 0; i < count && read_class(layout, memory, mro, i, &class); i++) {
        if (read_name(layout, memory, class, class_name) && strcmp(class_name, name) == 0)
            return true;
    }
    return false;
}
