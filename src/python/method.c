/* SPDX-License-Identifier: MIT */
#include "method.h"

#include "base/buffer.h"
#include "dict.h"
#include "layout.h"
#include "read.h"
#include "text.h"

#include <stdio.h>

enum {
    CLASS_LIMIT = 128,     /* classes of one __mro__ that are looked at, */
    CLASS_COST = 32,       /* and what each counts for, in entries of its dict */
    CELL_LIMIT = 256,      /* cells of one frame */
    LOCAL_LIMIT = 1 << 16, /* locals of one frame */
    CLASS_NAME_LEN = 128,  /* bytes kept of a class's name, the NUL included */
    CLASS_NAME_STEP = 16,  /* bytes read at a time: a divisor of the page's length */
    ACCESSOR_COUNT = 3,    /* of a property */
    FLAG_TYPE = 31,        /* CPython Include/object.h: Py_TPFLAGS_TYPE_SUBCLASS is this bit of tp_flags */
};

/* One search. */
struct search {
    const struct layout *layout;
    struct memory *memory;
    remote_addr frame, code;
    const char *name;
    struct dict_budget *budget;
};

static bool read_word(const struct search *search, remote_addr address, uint64_t *ret)
{
    return memory_read_u64(search->memory, address, ret) == MEMORY_OK;
}

static bool read_type(const struct search *search, remote_addr object, remote_addr *ret)
{
    return read_word(search, object + search->layout->object.type, ret);
}

/* A number of items, with its address, of a tuple; at most `limit` of them. */
static bool open_tuple(const struct search *search, remote_addr tuple, uint64_t limit, uint64_t *ret_count)
{
    if (!read_word(search, tuple + search->layout->object.var_size, ret_count))
        return false;
    if (*ret_count > limit)
        *ret_count = limit;
    return true;
}

static bool read_item(const struct search *search, remote_addr tuple, uint64_t index, remote_addr *ret)
{
    return read_word(search, tuple + search->layout->tuple.items + index * sizeof(remote_addr), ret);
}

/* Copies the last component of a type's name. False when it is longer than what is kept. */
static bool read_class_name(const struct search *search, remote_addr type, char name[CLASS_NAME_LEN])
{
    char bytes[CLASS_NAME_LEN];
    remote_addr address;
    size_t len = 0;
    if (!read_word(search, type + search->layout->type.name, &address))
        return false;
    while (len < sizeof(bytes)) {
        size_t step = CLASS_NAME_STEP - (address + len) % CLASS_NAME_STEP;
        if (step > sizeof(bytes) - len)
            step = sizeof(bytes) - len;
        if (memory_read(search->memory, address + len, bytes + len, step) != MEMORY_OK)
            return false;
        if (memchr(bytes + len, '\0', step)) {
            const char *dot = strrchr(bytes, '.');
            memcpy(name, dot ? dot + 1 : bytes, strlen(dot ? dot + 1 : bytes) + 1);
            return true;
        }
        len += step;
    }
    return false;
}

static bool has_type(const struct search *search, remote_addr object, const char *wanted)
{
    char name[CLASS_NAME_LEN];
    remote_addr type;
    return object != 0 && read_type(search, object, &type) && read_class_name(search, type, name) &&
           strcmp(name, wanted) == 0;
}

/* Whether this is a function with the code that is looked for. */
static bool is_function(const struct search *search, remote_addr object)
{
    uint64_t code;
    return has_type(search, object, "function") && read_word(search, object + search->layout->function.code, &code) &&
           code == search->code;
}

/*
 * The function behind what a class has under a name. CPython Objects/funcobject.c: classmethod and staticmethod, and
 * Objects/descrobject.c: propertyobject: the functions that they wrap come first behind an object's head.
 */
static bool find_function(const struct search *search, remote_addr value, remote_addr *ret)
{
    uint64_t wrapped[ACCESSOR_COUNT] = {0};
    remote_addr first = value + search->layout->object.var_size;
    size_t count = 0;
    if (is_function(search, value)) {
        *ret = value;
        return true;
    }
    if (has_type(search, value, "staticmethod") || has_type(search, value, "classmethod"))
        count = 1;
    else if (has_type(search, value, "property"))
        count = ACCESSOR_COUNT;
    if (memory_read(search->memory, first, wrapped, count * sizeof(wrapped[0])) != MEMORY_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (is_function(search, wrapped[i])) {
            *ret = wrapped[i];
            return true;
        }
    }
    return false;
}

/* "__name" is kept as "_Class__name": CPython 3.10 Python/compile.c: _Py_Mangle(). */
static bool is_private(const char *name)
{
    size_t len = strlen(name);
    return len > 2 && strncmp(name, "__", 2) == 0 && strcmp(name + len - 2, "__") != 0;
}

/* Looks for the method in one class, not in its bases. */
static bool find_in_class(const struct search *search, remote_addr type, const char *class_name, remote_addr *ret)
{
    char key[2 * CLASS_NAME_LEN];
    remote_addr dict, value;
    const char *stripped = class_name + strspn(class_name, "_");
    bool is_mangled = is_private(search->name) && *stripped != '\0';
    int len = snprintf(key, sizeof(key), "%s%s%s", is_mangled ? "_" : "", is_mangled ? stripped : "", search->name);
    return len > 0 && (size_t)len < sizeof(key) && read_word(search, type + search->layout->type.dict, &dict) &&
           dict != 0 && dict_find_text(search->layout, search->memory, dict, key, search->budget, &value) &&
           find_function(search, value, ret);
}

/* Whether a qualified name is one of this method; a program may set it to anything. */
static bool is_name_of(const struct search *search, const char *qualname, size_t len)
{
    size_t name_len = strlen(search->name);
    return len > name_len && qualname[len - name_len - 1] == '.' &&
           memcmp(qualname + len - name_len, search->name, name_len) == 0;
}

static bool set_name(const struct search *search, const char *class_name, remote_addr function, struct buffer *buffer)
{
    const struct layout *layout = search->layout;
    remote_addr qualname;
    if (layout->function.qualname == LAYOUT_NONE) {
        buffer_clear(buffer);
        buffer_format(buffer, "%s.%s", class_name, search->name);
        return !buffer->failed;
    }
    buffer_clear(buffer);
    return read_word(search, function + layout->function.qualname, &qualname) &&
           text_read(layout, search->memory, qualname, buffer) == PYTHON_OK &&
           is_name_of(search, buffer_text(buffer), buffer->len);
}

/* Looks for the method in a class and in its bases. */
static bool find_in_bases(const struct search *search, remote_addr type, struct buffer *buffer)
{
    remote_addr mro, class, function;
    uint64_t count;
    if (!read_word(search, type + search->layout->type.mro, &mro) || mro == 0 ||
        !open_tuple(search, mro, CLASS_LIMIT, &count))
        return false;
    for (uint64_t i = 0; i < count && search->budget->entries >= CLASS_COST; i++) {
        char name[CLASS_NAME_LEN];
        search->budget->entries -= CLASS_COST;
        if (read_item(search, mro, i, &class) && read_class_name(search, class, name) &&
            find_in_class(search, class, name, &function))
            return set_name(search, name, function, buffer);
    }
    return false;
}

/* The value of an argument that inner functions use: CPython 3.10 Include/cpython/code.h: the cells follow the locals.
 */
static bool read_cell(const struct search *search, const char *argument, remote_addr *ret)
{
    const struct layout *layout = search->layout;
    remote_addr names, name, cell;
    uint32_t local_count;
    uint64_t count;
    if (memory_read(search->memory, search->code + layout->locals.local_count, &local_count, sizeof(local_count)) !=
            MEMORY_OK ||
        local_count > LOCAL_LIMIT || !read_word(search, search->code + layout->locals.cellvars, &names) ||
        !open_tuple(search, names, CELL_LIMIT, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        remote_addr slot = search->frame + layout->locals.first + (local_count + i) * sizeof(remote_addr);
        if (read_item(search, names, i, &name) && text_equals(layout, search->memory, name, argument))
            return read_word(search, slot, &cell) && cell != 0 && read_word(search, cell + layout->cell.value, ret) &&
                   *ret != 0;
    }
    return false;
}

/* The first argument, if it is called self or cls. */
static bool read_first_argument(const struct search *search, remote_addr *ret)
{
    const struct layout *layout = search->layout;
    remote_addr names, name;
    uint32_t arg_count;
    uint64_t count;
    if (memory_read(search->memory, search->code + layout->locals.arg_count, &arg_count, sizeof(arg_count)) !=
            MEMORY_OK ||
        arg_count == 0 || !read_word(search, search->code + layout->locals.names, &names) ||
        !open_tuple(search, names, 1, &count) || count == 0 || !read_item(search, names, 0, &name))
        return false;
    const char *argument = text_equals(layout, search->memory, name, "self") ? "self" : "cls";
    if (!text_equals(layout, search->memory, name, argument) ||
        !read_word(search, search->frame + layout->locals.first, ret))
        return false;
    return *ret != 0 || read_cell(search, argument, ret);
}

static bool is_class(const struct search *search, remote_addr type)
{
    uint64_t flags;
    return read_word(search, type + search->layout->type.flags, &flags) && (flags >> FLAG_TYPE & 1);
}

bool method_find_name(const struct layout *layout, struct memory *memory, remote_addr frame, remote_addr code,
                      const char *name, struct dict_budget *budget, struct buffer *buffer)
{
    const struct search search = {layout, memory, frame, code, name, budget};
    remote_addr object, type;
    if (!dict_budget_begin(budget, memory))
        return false;
    /* An argument that is a class can be a class method's cls, or the self of its metaclass's method. */
    bool is_found =
        read_first_argument(&search, &object) && read_type(&search, object, &type) &&
        ((is_class(&search, type) && find_in_bases(&search, object, buffer)) || find_in_bases(&search, type, buffer));
    dict_budget_end(budget, memory);
    return is_found;
}
