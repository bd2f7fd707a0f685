/* SPDX-License-Identifier: MIT */
#include "value.h"

#include "dict.h"
#include "text.h"

#include <inttypes.h>
#include <string.h>

enum {
    /* CPython Include/structmember.h (3.12: descrobject.h): PyMemberDef. */
    MEMBER_LEN = 40,
    MEMBER_TYPE = 8,
    MEMBER_OFFSET = 16,
    MEMBER_LIMIT = 1024, /* of one class */
    MEMBER_OBJECT = 16,  /* T_OBJECT_EX: what a class has for each of its __slots__ */
    MEMBER_NAME_LEN = 128,
    WORD_LEN = sizeof(uint64_t),
};

/* A slot of an object. */
struct slot {
    char name[MEMBER_NAME_LEN];
    remote_addr value; /* 0: it is empty */
};

/* The members of one class, of which the first may be looked at. */
static bool open_members(const struct values *values, remote_addr class, remote_addr *ret)
{
    return value_word(values, class + values->layout->type.members, ret) && *ret != 0;
}

/* Reads one member of a class's list. False at its end. */
static bool read_slot(const struct values *values, remote_addr member, remote_addr object, struct slot *ret,
                      bool *ret_is_slot)
{
    unsigned char bytes[MEMBER_LEN];
    uint64_t name, offset;
    uint32_t type;
    if (memory_read(values->memory, member, bytes, sizeof(bytes)) != MEMORY_OK)
        return false;
    memcpy(&name, bytes, sizeof(name));
    memcpy(&type, bytes + MEMBER_TYPE, sizeof(type));
    memcpy(&offset, bytes + MEMBER_OFFSET, sizeof(offset));
    if (name == 0)
        return false;
    *ret_is_slot = type == MEMBER_OBJECT && c_string_read(values->memory, name, ret->name, sizeof(ret->name)) &&
                   value_word(values, object + offset, &ret->value);
    return true;
}

/* Writes the slots that a class adds to its base's; *count is how many attributes are written. */
static void write_slots(struct values *values, remote_addr class, remote_addr object, const char *separator,
                        uint32_t *count)
{
    remote_addr members;
    if (!open_members(values, class, &members))
        return;
    for (uint64_t i = 0; i < MEMBER_LIMIT && !value_is_over(values, 1); i++) {
        struct slot slot;
        bool is_slot;
        if (!read_slot(values, members + i * MEMBER_LEN, object, &slot, &is_slot))
            return;
        if (!is_slot || slot.value == 0)
            continue;
        value_append(&values->text, (*count)++ == 0 ? separator : ", ");
        value_append(&values->text, slot.name);
        value_append(&values->text, "=");
        value_write(values, slot.value);
    }
}

/* The classes from the type on inwards that may have slots: all that Python code made; the outermost base last. */
static uint32_t list_bases(struct values *values, const struct object_type *type, remote_addr bases[TYPE_BASE_LIMIT])
{
    uint32_t count = 0;
    while (type && type->is_heap && count < TYPE_BASE_LIMIT) {
        remote_addr base;
        bases[count++] = type->address;
        if (!value_word(values, type->address + values->layout->type.base, &base) || base == 0)
            break;
        type = object_types_find(&values->types, values->layout, values->memory, base);
    }
    return count;
}

static void write_dict_attributes(struct values *values, struct dict_reader *reader, const char *separator,
                                  uint32_t *count)
{
    remote_addr key, value;
    uint64_t before = reader->next;
    while (!values->text.is_full && dict_next(reader, &key, &value)) {
        const struct object_type *type = value_type(values, key);
        if (value_is_over(values, 1 + (reader->next - before) / VALUE_STEP_ENTRIES))
            return;
        before = reader->next;
        if (!type || (type->kind != VALUE_STR && type->kind != VALUE_BYTES_2))
            continue;
        value_append(&values->text, (*count)++ == 0 ? separator : ", ");
        value_write_name(values, key);
        value_append(&values->text, "=");
        value_write(values, value);
    }
}

bool value_write_attributes(struct values *values, remote_addr object, const struct object_type *type,
                            const char *separator)
{
    remote_addr bases[TYPE_BASE_LIMIT];
    struct dict_reader reader;
    uint32_t count = 0;
    bool was_attribute = values->is_attribute;
    values->is_attribute = true;
    for (uint32_t i = list_bases(values, type, bases); i-- > 0;)
        write_slots(values, bases[i], object, separator, &count);
    if (instance_begin(values->layout, values->memory, object, &reader))
        write_dict_attributes(values, &reader, separator, &count);
    values->is_attribute = was_attribute;
    return count > 0;
}

/* CPython 2.7 Include/classobject.h: an instance of an old-style class has that class, and then its dict. */
void value_write_instance_2(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr words[2];
    struct dict_reader reader;
    uint32_t count = 0;
    bool was_attribute = values->is_attribute;
    (void)type;
    if (memory_read(values->memory, value_body(values, object), words, sizeof(words)) != MEMORY_OK) {
        value_write_unreadable(values);
        return;
    }
    value_append(&values->text, "<");
    value_write_class_name_2(values, words[0]);
    values->is_attribute = true;
    if (!was_attribute && dict_begin(values->layout, values->memory, words[1], &reader))
        write_dict_attributes(values, &reader, " ", &count);
    values->is_attribute = was_attribute;
    if (count == 0)
        value_format(&values->text, " instance at %#" PRIx64, object);
    value_append(&values->text, ">");
}

/* The value of an attribute of any kind. */
static bool find_attribute(struct values *values, remote_addr object, const char *name, remote_addr *ret)
{
    remote_addr bases[TYPE_BASE_LIMIT], members;
    uint32_t count = list_bases(values, value_type(values, object), bases);
    for (uint32_t i = 0; i < count; i++) {
        struct slot slot;
        bool is_slot;
        if (!open_members(values, bases[i], &members))
            continue;
        for (uint64_t k = 0; k < MEMBER_LIMIT && read_slot(values, members + k * MEMBER_LEN, object, &slot, &is_slot);
             k++) {
            if (is_slot && slot.value != 0 && strcmp(slot.name, name) == 0) {
                *ret = slot.value;
                return true;
            }
        }
    }
    return instance_find_attribute(values->layout, values->memory, object, name, ret);
}

/* CPython 3.13 Lib/enum.py: Enum.__repr__() and Flag.__repr__(); the name of a combination can be None. */
static bool write_enum(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr name, value;
    if (!instance_find_attribute(values->layout, values->memory, object, "_name_", &name) ||
        !instance_find_attribute(values->layout, values->memory, object, "_value_", &value))
        return false;
    const struct object_type *name_type = value_type(values, name);
    value_append(&values->text, "<");
    value_append(&values->text, type->name);
    if (name_type && name_type->kind == VALUE_STR) {
        value_append(&values->text, ".");
        value_write_name(values, name);
    }
    value_append(&values->text, ": ");
    value_write(values, value);
    value_append(&values->text, ">");
    return true;
}

/* Whether the end of a str is this. */
static bool ends_with(struct values *values, remote_addr text, const char *end)
{
    size_t len = strlen(end);
    buffer_clear(&values->scratch);
    bool is_read = text_read(values->layout, values->memory, text, &values->scratch) == PYTHON_OK;
    values->scratch.failed = false;
    return is_read && values->scratch.len >= len &&
           memcmp(values->scratch.data + values->scratch.len - len, end, len) == 0;
}

/* Whether a class's __repr__() is the one that the module dataclasses makes, and not one that was written for it. */
static bool is_made_by_dataclass(struct values *values, remote_addr method)
{
    remote_addr code, filename;
    const struct object_type *type = value_type(values, method);
    return type && type->kind == VALUE_FUNCTION && value_word(values, method + values->layout->function.code, &code) &&
           value_word(values, code + values->layout->code.filename, &filename) &&
           (ends_with(values, filename, "dataclasses.py") || ends_with(values, filename, "reprlib.py"));
}

/* A field that is neither a class variable nor an argument of __init__() only. */
static bool is_shown_field(struct values *values, remote_addr field)
{
    remote_addr is_shown, kind, name;
    return find_attribute(values, field, "repr", &is_shown) && value_is_true(values, is_shown) &&
           find_attribute(values, field, "_field_type", &kind) && find_attribute(values, kind, "name", &name) &&
           text_equals(values->layout, values->memory, name, "_FIELD");
}

/* Writes "a=1, b=2" of the fields. */
static void write_fields(struct values *values, remote_addr object, remote_addr fields)
{
    struct dict_reader reader;
    remote_addr key, field, value;
    bool is_first = true;
    if (!dict_begin(values->layout, values->memory, fields, &reader))
        return;
    while (!value_is_over(values, 1) && dict_next(&reader, &key, &field)) {
        cleanup_buffer struct buffer name = {0};
        if (!is_shown_field(values, field) || text_read(values->layout, values->memory, key, &name) != PYTHON_OK)
            continue;
        value_append(&values->text, is_first ? "" : ", ");
        value_append_len(&values->text, buffer_text(&name), name.len);
        value_append(&values->text, "=");
        if (find_attribute(values, object, buffer_text(&name), &value))
            value_write(values, value);
        else
            value_write_unreadable(values);
        is_first = false;
    }
}

/* CPython 3.13 Lib/dataclasses.py: _repr_fn(). */
static void write_data_class(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr qualname;
    if (!value_enter(values, object, "..."))
        return;
    if (!value_word(values, type->address + values->layout->type.qualname, &qualname) ||
        !value_write_name(values, qualname))
        value_append(&values->text, type->name);
    value_append(&values->text, "(");
    write_fields(values, object, type->facts->fields);
    value_append(&values->text, ")");
    value_leave(values);
}

/* CPython 3.13 Lib/collections/__init__.py: namedtuple(). */
static bool write_named_tuple(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr names, items, name, value;
    uint64_t name_count, count;
    /* In 2.7 the name is part of the method, and so that of a base may be shown. */
    const struct object_type *named =
        values->layout->repr_format == REPR_2
            ? object_types_find(&values->types, values->layout, values->memory, type->facts->owner)
            : type;
    if (!named || !value_open_tuple(values, type->facts->fields, &names, &name_count) ||
        !value_open_tuple(values, object, &items, &count) || count != name_count)
        return false;
    if (!value_enter(values, object, "(...)"))
        return true;
    value_append(&values->text, named->name);
    value_append(&values->text, "(");
    for (uint64_t i = 0; i < count && !value_is_over(values, 1); i++) {
        value_append(&values->text, i > 0 ? ", " : "");
        if (!value_word(values, names + i * WORD_LEN, &name) || !value_write_name(values, name) ||
            !value_word(values, items + i * WORD_LEN, &value))
            break;
        value_append(&values->text, "=");
        value_write(values, value);
    }
    value_append(&values->text, ")");
    value_leave(values);
    return true;
}

static bool is_tuple(struct values *values, remote_addr object)
{
    const struct object_type *type = value_type(values, object);
    return type && type->kind == VALUE_TUPLE;
}

/* Which of these a class is: what has the __repr__() of a named tuple or data class has its fields, too. */
static struct class_facts find_facts(struct values *values, const struct object_type *type)
{
    struct class_facts facts = {.form = CLASS_ORDINARY};
    const struct layout *layout = values->layout;
    struct memory *memory = values->memory;
    remote_addr method, dict;
    if (!type->is_heap || value_is_over(values, VALUE_LOOKUP_STEPS))
        return facts;
    if (class_has_base(layout, memory, type->address, "Enum")) {
        facts.form = CLASS_ENUM;
        return facts;
    }
    if (!class_find_attribute(layout, memory, type->address, "__repr__", &method, &facts.owner) ||
        !value_word(values, facts.owner + layout->type.dict, &dict))
        return facts;
    if (type->kind == VALUE_TUPLE && dict_find_early_text(layout, memory, dict, "_fields", &facts.fields) &&
        is_tuple(values, facts.fields))
        facts.form = CLASS_NAMED_TUPLE;
    else if (layout->type.qualname != LAYOUT_NONE &&
             dict_find_early_text(layout, memory, dict, "__dataclass_fields__", &facts.fields) &&
             is_made_by_dataclass(values, method))
        facts.form = CLASS_DATA;
    return facts;
}

bool value_write_known_class(struct values *values, remote_addr object, const struct object_type *type)
{
    if (type->facts->form == CLASS_UNKNOWN)
        *type->facts = find_facts(values, type);
    switch (type->facts->form) {
    case CLASS_ENUM:
        return write_enum(values, object, type);
    case CLASS_NAMED_TUPLE:
        return write_named_tuple(values, object, type);
    case CLASS_DATA:
        write_data_class(values, object, type);
        return true;
    case CLASS_UNKNOWN:
    case CLASS_ORDINARY:
        break;
    }
    return false;
}
