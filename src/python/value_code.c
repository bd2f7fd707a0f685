/* SPDX-License-Identifier: MIT */
#include "value.h"

#include "dict.h"
#include "text.h"

#include <inttypes.h>
#include <string.h>

/*
 * What stands before a class's name. CPython 3.13 Objects/typeobject.c: type_repr(); Lib/enum.py: EnumType.__repr__(),
 * which is called EnumMeta to 3.10 and does not know flags there.
 */
static const char *word_for_class(const struct values *values, const struct object_type *type,
                                  const struct object_type *class)
{
    bool is_enum = type->has_own_repr && strcmp(type->name, "EnumType") == 0;
    if (is_enum && class_has_base(values->layout, values->memory, class->address, "Flag"))
        return "flag";
    if (is_enum || (type->has_own_repr && strcmp(type->name, "EnumMeta") == 0))
        return "enum";
    return values->layout->repr_format == REPR_2 && !class->is_heap ? "type" : "class";
}

void value_write_class(struct values *values, remote_addr object, const struct object_type *type)
{
    const struct object_type *class = object_types_find(&values->types, values->layout, values->memory, object);
    if (!class) {
        value_write_unreadable(values);
        return;
    }
    const char *word = word_for_class(values, type, class);
    bool is_short = strcmp(word, "enum") == 0 || strcmp(word, "flag") == 0;
    value_format(&values->text, "<%s '", word);
    value_append(&values->text, is_short ? class->name : class->full_name);
    value_append(&values->text, "'>");
}

/* CPython 2.7 Include/classobject.h: PyClassObject: bases, dict, name; PyInstanceObject: class, dict. */
void value_write_class_name_2(struct values *values, remote_addr class)
{
    enum { CLASS_DICT = 8, CLASS_NAME = 16 };
    remote_addr dict, name, module, body = value_body(values, class);
    if (value_word(values, body + CLASS_DICT, &dict) &&
        dict_find_early_text(values->layout, values->memory, dict, "__module__", &module) &&
        value_write_name(values, module))
        value_append(&values->text, ".");
    if (!value_word(values, body + CLASS_NAME, &name) || !value_write_name(values, name))
        value_append(&values->text, "?");
}

void value_write_class_2(struct values *values, remote_addr object, const struct object_type *type)
{
    (void)type;
    value_append(&values->text, "<class ");
    value_write_class_name_2(values, object);
    value_format(&values->text, " at %#" PRIx64 ">", object);
}

/* Writes the str that a field of an object points to, or a question mark. */
static void write_field_name(struct values *values, remote_addr field)
{
    remote_addr name;
    if (!value_word(values, field, &name) || !value_write_name(values, name))
        value_append(&values->text, "?");
}

void value_write_function(struct values *values, remote_addr object, const struct object_type *type)
{
    (void)type;
    value_append(&values->text, "<function ");
    write_field_name(values, object + values->layout->function.name);
    value_format(&values->text, " at %#" PRIx64 ">", object);
}

/*
 * CPython 3.13 Include/cpython/methodobject.h: PyCFunctionObject: what it does, whose name comes first, and self;
 * Objects/methodobject.c: meth_repr().
 */
void value_write_builtin(struct values *values, remote_addr object, const struct object_type *type)
{
    char name[TYPE_NAME_LEN];
    remote_addr words[2], address;
    (void)type;
    if (memory_read(values->memory, value_body(values, object), words, sizeof(words)) != MEMORY_OK ||
        !value_word(values, words[0], &address) || !c_string_read(values->memory, address, name, sizeof(name))) {
        value_write_unreadable(values);
        return;
    }
    const struct object_type *self = words[1] != 0 ? value_type(values, words[1]) : NULL;
    bool is_function = !self || self->kind == VALUE_MODULE;
    value_append(&values->text, is_function ? "<built-in function " : "<built-in method ");
    value_append(&values->text, name);
    if (!is_function) {
        value_append(&values->text, " of ");
        value_append(&values->text, self->name);
        value_format(&values->text, " object at %#" PRIx64, words[1]);
    }
    value_append(&values->text, ">");
}

/* CPython Include/cpython/classobject.h: PyMethodObject: function and self. */
void value_write_method(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr words[2];
    (void)type;
    if (memory_read(values->memory, value_body(values, object), words, sizeof(words)) != MEMORY_OK) {
        value_write_unreadable(values);
        return;
    }
    const struct object_type *function = value_type(values, words[0]);
    bool was_attribute = values->is_attribute;
    value_append(&values->text, "<bound method ");
    if (function && function->kind == VALUE_FUNCTION)
        write_field_name(values, words[0] + values->layout->function.name);
    else
        value_append(&values->text, "?");
    value_append(&values->text, " of ");
    values->is_attribute = true;
    value_write(values, words[1]);
    values->is_attribute = was_attribute;
    value_append(&values->text, ">");
}

static bool is_text(struct values *values, remote_addr object)
{
    const struct object_type *type = value_type(values, object);
    return type && (type->kind == VALUE_STR || type->kind == VALUE_BYTES_2);
}

/* Where a module is from, as its spec says; 0: it does not. */
static remote_addr find_origin(struct values *values, remote_addr dict, bool *ret_is_file)
{
    remote_addr spec, origin, is_file;
    const struct layout *layout = values->layout;
    if (dict_find_early_text(layout, values->memory, dict, "__spec__", &spec) &&
        instance_find_attribute(layout, values->memory, spec, "origin", &origin) && is_text(values, origin)) {
        *ret_is_file = instance_find_attribute(layout, values->memory, spec, "_set_fileattr", &is_file) &&
                       value_is_true(values, is_file);
        return origin;
    }
    *ret_is_file = true;
    return dict_find_early_text(layout, values->memory, dict, "__file__", &origin) && is_text(values, origin) ? origin
                                                                                                              : 0;
}

/* What stands for the file of a module that has none. */
static const char *word_for_loader(struct values *values, remote_addr dict)
{
    remote_addr loader;
    if (values->layout->repr_format == REPR_2)
        return " (built-in)";
    if (!dict_find_early_text(values->layout, values->memory, dict, "__loader__", &loader))
        return "";
    const struct object_type *type = value_type(values, loader);
    const struct object_type *class = type && type->kind == VALUE_CLASS
                                          ? object_types_find(&values->types, values->layout, values->memory, loader)
                                          : NULL;
    if (class && strcmp(class->name, "BuiltinImporter") == 0)
        return " (built-in)";
    return class && strcmp(class->name, "FrozenImporter") == 0 ? " (frozen)" : "";
}

/* CPython 3.13 Lib/importlib/_bootstrap.py: _module_repr() and _module_repr_from_spec(). */
void value_write_module(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr dict, name;
    bool is_file;
    (void)type;
    if (!value_word(values, object + values->layout->module.dict, &dict) || dict == 0) {
        value_write_unreadable(values);
        return;
    }
    value_append(&values->text, "<module '");
    if (!dict_find_early_text(values->layout, values->memory, dict, "__name__", &name) ||
        !value_write_name(values, name))
        value_append(&values->text, "?");
    value_append(&values->text, "'");
    remote_addr origin = find_origin(values, dict, &is_file);
    if (origin != 0) {
        value_append(&values->text, is_file ? " from " : " (");
        if (is_file)
            value_write(values, origin);
        else
            value_write_name(values, origin);
        value_append(&values->text, is_file ? "" : ")");
    } else {
        value_append(&values->text, word_for_loader(values, dict));
    }
    value_append(&values->text, ">");
}

/* CPython Objects/codeobject.c: code_repr(). */
void value_write_code(struct values *values, remote_addr object, const struct object_type *type)
{
    uint32_t line;
    const struct layout *layout = values->layout;
    (void)type;
    value_append(&values->text, "<code object ");
    write_field_name(values, object + layout->code.name);
    value_format(&values->text, " at %#" PRIx64 ", file \"", object);
    write_field_name(values, object + layout->code.filename);
    value_append(&values->text, "\"");
    if (memory_read_u32(values->memory, object + layout->code.first_line, &line) == MEMORY_OK)
        value_format(&values->text, ", line %" PRId32, (int32_t)line);
    value_append(&values->text, ">");
}

void value_write_generator(struct values *values, remote_addr object, const struct object_type *type)
{
    value_append(&values->text, "<");
    value_append(&values->text, type->name);
    value_append(&values->text, " object ");
    write_field_name(values, object + values->layout->generator.name);
    value_format(&values->text, " at %#" PRIx64 ">", object);
}

/*
 * CPython Include/cpython/pyerrors.h: PyException_HEAD: dict, then the arguments; Objects/exceptions.c:
 * BaseException_repr(): to 3.6 the tuple as it is.
 */
void value_write_exception(struct values *values, remote_addr object, const struct object_type *type)
{
    enum { ARGUMENTS = 8 };
    remote_addr arguments, items;
    uint64_t count;
    const char *dot = strrchr(type->name, '.');
    if (!value_word(values, value_body(values, object) + ARGUMENTS, &arguments) || arguments == 0 ||
        !value_open_tuple(values, arguments, &items, &count)) {
        value_write_unreadable(values);
        return;
    }
    value_append(&values->text, dot ? dot + 1 : type->name);
    if (count != 1 || values->layout->repr_format < REPR_3_7) {
        value_write(values, arguments);
        return;
    }
    value_append(&values->text, "(");
    if (value_word(values, items, &items))
        value_write(values, items);
    value_append(&values->text, ")");
}
