/* SPDX-License-Identifier: MIT */
#include "value.h"

#include "number.h"

#include <inttypes.h>
#include <string.h>

/*
 * NumPy 1.24 and 2.1 core/include/numpy/ndarraytypes.h: PyArrayObject_fields and _PyArray_Descr, and arrayscalars.h:
 * the value of a scalar comes behind the object's head.
 */
enum {
    DIMENSION_COUNT = 8, /* from the end of the head */
    DIMENSIONS = 16,
    DTYPE = 40,
    DTYPE_TYPE = 0,
    DIMENSION_LIMIT = 64, /* NumPy 2.1: NPY_MAXDIMS */
    SCALAR_LEN = 16,      /* bytes of the longest scalar that is written */
};

/* Writes an array's shape as a tuple. */
static void write_shape(struct values *values, remote_addr dimensions, uint32_t count)
{
    value_append(&values->text, "(");
    for (uint32_t i = 0; i < count && !values->text.is_full; i++) {
        uint64_t len;
        value_append(&values->text, i > 0 ? ", " : "");
        if (value_word(values, dimensions + i * sizeof(len), &len))
            value_format(&values->text, "%" PRId64, (int64_t)len);
        else
            value_write_unreadable(values);
    }
    value_append(&values->text, count == 1 ? ",)" : ")");
}

/* The name of a dtype: that of its scalars' type without the module and, as in "bool_", without what makes it differ.
 */
static void write_dtype(struct values *values, remote_addr dtype)
{
    remote_addr address;
    const struct object_type *type = NULL;
    if (value_word(values, value_body(values, dtype) + DTYPE_TYPE, &address))
        type = object_types_find(&values->types, values->layout, values->memory, address);
    if (!type) {
        value_write_unreadable(values);
        return;
    }
    const char *dot = strrchr(type->name, '.'), *name = dot ? dot + 1 : type->name;
    size_t len = strlen(name);
    if (len > 1 && name[len - 1] == '_')
        len--;
    value_append_len(&values->text, name, len);
}

void value_write_array(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr body = value_body(values, object), dimensions, dtype;
    uint32_t count;
    if (memory_read_u32(values->memory, body + DIMENSION_COUNT, &count) != MEMORY_OK || count > DIMENSION_LIMIT ||
        !value_word(values, body + DIMENSIONS, &dimensions) || !value_word(values, body + DTYPE, &dtype)) {
        value_write_unreadable(values);
        return;
    }
    value_format(&values->text, "<%.*s shape=", TYPE_NAME_LEN, type->is_exact ? type->name : "numpy.ndarray");
    write_shape(values, dimensions, count);
    value_append(&values->text, " dtype=");
    write_dtype(values, dtype);
    value_append(&values->text, ">");
}

/* A number that lies at the start of some bytes. */
#define LOAD(type, bytes) (*(const type *)memcpy(&(type){0}, (bytes), sizeof(type)))

static void write_real(struct values *values, double number, enum number_precision precision)
{
    char text[NUMBER_TEXT_LEN];
    number_write_float(number, precision, true, text);
    value_append(&values->text, text);
}

/* False when it is no integer. */
static bool write_integer(struct values *values, char kind, const unsigned char *bytes)
{
    switch (kind) {
    case '?':
        value_append(&values->text, bytes[0] ? "True" : "False");
        return true;
    case 'b':
        value_format(&values->text, "%d", LOAD(int8_t, bytes));
        return true;
    case 'B':
        value_format(&values->text, "%u", bytes[0]);
        return true;
    case 'h':
        value_format(&values->text, "%d", LOAD(int16_t, bytes));
        return true;
    case 'H':
        value_format(&values->text, "%u", LOAD(uint16_t, bytes));
        return true;
    case 'i':
        value_format(&values->text, "%" PRId32, LOAD(int32_t, bytes));
        return true;
    case 'I':
        value_format(&values->text, "%" PRIu32, LOAD(uint32_t, bytes));
        return true;
    case 'l':
        value_format(&values->text, "%" PRId64, LOAD(int64_t, bytes));
        return true;
    case 'L':
        value_format(&values->text, "%" PRIu64, LOAD(uint64_t, bytes));
        return true;
    default:
        return false;
    }
}

static void write_floating(struct values *values, char kind, const unsigned char *bytes)
{
    switch (kind) {
    case 'e':
        write_real(values, number_of_half(LOAD(uint16_t, bytes)), NUMBER_HALF);
        break;
    case 'f':
        write_real(values, (double)LOAD(float, bytes), NUMBER_SINGLE);
        break;
    case 'F':
        value_write_complex_parts(values, (double)LOAD(float, bytes), (double)LOAD(float, bytes + sizeof(float)), true);
        break;
    case 'D':
        value_write_complex_parts(values, LOAD(double, bytes), LOAD(double, bytes + sizeof(double)), false);
        break;
    default:
        write_real(values, LOAD(double, bytes), NUMBER_DOUBLE);
    }
}

static size_t scalar_len(char kind)
{
    static const struct {
        char kinds[4];
        size_t len;
    } lens[] = {{"?bB", 1}, {"hHe", 2}, {"iIf", 4}, {"D", SCALAR_LEN}};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        if (strchr(lens[i].kinds, kind))
            return lens[i].len;
    }
    return sizeof(uint64_t);
}

/* As NumPy 1's repr(), which is NumPy 2's str(). */
void value_write_array_scalar(struct values *values, remote_addr object, const struct object_type *type)
{
    unsigned char bytes[SCALAR_LEN] = {0};
    if (memory_read(values->memory, value_body(values, object), bytes, scalar_len(type->detail)) != MEMORY_OK)
        value_write_unreadable(values);
    else if (!write_integer(values, type->detail, bytes))
        write_floating(values, type->detail, bytes);
}
