/* SPDX-License-Identifier: MIT */
#include "value.h"

#include "number.h"
#include "text.h"

#include <inttypes.h>

enum {
    /* CPython 3.12 Include/cpython/longintrepr.h: lv_tag has the sign in its low bits, and the number of digits. */
    TAG_SIGN_MASK = 3,
    TAG_SIGN_NEGATIVE = 2,
    TAG_COUNT_SHIFT = 3,
    WORD_LEN = sizeof(uint64_t),
};

void value_write_bool(struct values *values, remote_addr object, const struct object_type *type)
{
    uint32_t digit;
    (void)type;
    if (memory_read_u32(values->memory, object + values->layout->integer.digits, &digit) != MEMORY_OK)
        value_write_unreadable(values);
    else
        value_append(&values->text, digit != 0 ? "True" : "False");
}

bool value_is_true(struct values *values, remote_addr object)
{
    uint32_t digit;
    const struct object_type *type = value_type(values, object);
    return type && type->kind == VALUE_BOOL &&
           memory_read_u32(values->memory, object + values->layout->integer.digits, &digit) == MEMORY_OK && digit != 0;
}

/* How many digits an int of 3.x, or a long of 2.7, has. */
static bool read_digit_count(const struct values *values, remote_addr object, uint64_t *ret, bool *ret_is_negative)
{
    uint64_t word;
    const struct layout *layout = values->layout;
    bool has_tag = layout->integer.tag != LAYOUT_NONE;
    if (!value_word(values, object + (has_tag ? layout->integer.tag : layout->object.var_size), &word))
        return false;
    *ret_is_negative = has_tag ? (word & TAG_SIGN_MASK) == TAG_SIGN_NEGATIVE : (int64_t)word < 0;
    if (has_tag)
        *ret = word >> TAG_COUNT_SHIFT;
    else
        *ret = *ret_is_negative ? -word : word;
    return true;
}

/* A number that has more digits than anybody reads, and Python itself would write. */
static void write_large_int(struct values *values, remote_addr digits, uint64_t count, bool is_negative)
{
    uint32_t last;
    if (count > UINT32_MAX ||
        memory_read_u32(values->memory, digits + (count - 1) * sizeof(last), &last) != MEMORY_OK || last == 0) {
        value_write_unreadable(values);
        return;
    }
    uint64_t bits = (count - 1) * NUMBER_DIGIT_BITS + (32 - (unsigned)__builtin_clz(last));
    value_format(&values->text, "<%sint of %" PRIu64 " bits>", is_negative ? "negative " : "", bits);
}

static void write_digits(struct values *values, remote_addr object, remote_addr first)
{
    uint32_t digits[NUMBER_DIGITS_LIMIT];
    char text[NUMBER_DECIMAL_LIMIT];
    uint64_t count;
    bool is_negative;
    bool is_read = read_digit_count(values, object, &count, &is_negative);
    if (is_read && count > NUMBER_DIGITS_LIMIT) {
        write_large_int(values, first, count, is_negative);
        return;
    }
    if (!is_read || memory_read(values->memory, first, digits, count * sizeof(digits[0])) != MEMORY_OK) {
        value_write_unreadable(values);
        return;
    }
    number_write_integer(digits, count, is_negative, text);
    value_append(&values->text, text);
}

void value_write_int(struct values *values, remote_addr object, const struct object_type *type)
{
    uint64_t number;
    if (type->kind == VALUE_INT) {
        write_digits(values, object, object + values->layout->integer.digits);
    } else if (type->kind == VALUE_LONG_2) {
        write_digits(values, object, value_body(values, object) + WORD_LEN);
        value_append(&values->text, "L");
    } else if (value_word(values, object + values->layout->integer.digits, &number)) {
        value_format(&values->text, "%" PRId64, (int64_t)number);
    } else {
        value_write_unreadable(values);
    }
}

void value_write_float(struct values *values, remote_addr object, const struct object_type *type)
{
    double number;
    char text[NUMBER_TEXT_LEN];
    (void)type;
    if (memory_read(values->memory, value_body(values, object), &number, sizeof(number)) != MEMORY_OK) {
        value_write_unreadable(values);
        return;
    }
    number_write_float(number, NUMBER_DOUBLE, true, text);
    value_append(&values->text, text);
}

/* CPython 3.13 Objects/complexobject.c: complex_repr(). */
void value_write_complex_parts(struct values *values, double real, double imaginary, bool is_single)
{
    char real_text[NUMBER_TEXT_LEN], imaginary_text[NUMBER_TEXT_LEN];
    enum number_precision precision = is_single ? NUMBER_SINGLE : NUMBER_DOUBLE;
    number_write_float(real, precision, false, real_text);
    number_write_float(imaginary, precision, false, imaginary_text);
    if (real == 0 && !__builtin_signbit(real))
        value_format(&values->text, "%sj", imaginary_text);
    else
        value_format(&values->text, "(%s%s%sj)", real_text, imaginary_text[0] == '-' ? "" : "+", imaginary_text);
}

void value_write_complex(struct values *values, remote_addr object, const struct object_type *type)
{
    double parts[2];
    (void)type;
    if (memory_read(values->memory, value_body(values, object), parts, sizeof(parts)) != MEMORY_OK)
        value_write_unreadable(values);
    else
        value_write_complex_parts(values, parts[0], parts[1], false);
}

/* " when ' is among the characters and " is not. */
static char find_quote(const struct values *values, const struct text_head *text, const unsigned char *data,
                       size_t count)
{
    bool has_single = false, has_double = false;
    for (size_t i = 0; i < count;) {
        uint32_t c = text_next_character(values->layout, text, data, count, &i);
        has_single |= c == '\'';
        has_double |= c == '"';
    }
    return has_single && !has_double ? '"' : '\'';
}

/* Writes characters in quotes. Of a text that does not fit, only what does is looked at. */
static void write_quoted(struct values *values, const struct text_head *text, enum quote_style style)
{
    uint64_t fitting = (uint64_t)values->text.left + 1;
    size_t count = (size_t)(text->length < fitting ? text->length : fitting);
    buffer_clear(&values->scratch);
    unsigned char *data = (unsigned char *)buffer_reserve(&values->scratch, count * text->kind);
    if (!data || memory_read(values->memory, text->data, data, count * text->kind) != MEMORY_OK) {
        values->scratch.failed = false;
        value_write_unreadable(values);
        return;
    }
    char quote = find_quote(values, text, data, count);
    value_append_len(&values->text, &quote, 1);
    for (size_t i = 0; i < count && !values->text.is_full;) {
        uint32_t c = text_next_character(values->layout, text, data, count, &i);
        value_append_quoted(&values->text, c, quote, style);
    }
    value_append_len(&values->text, &quote, 1);
}

void value_write_str(struct values *values, remote_addr object, const struct object_type *type)
{
    struct text_head text;
    if (text_open(values->layout, values->memory, object, &text) != PYTHON_OK) {
        value_write_unreadable(values);
        return;
    }
    bool is_of_2 = type->kind == VALUE_UNICODE_2;
    value_append(&values->text, is_of_2 ? "u" : "");
    write_quoted(values, &text, is_of_2 ? QUOTE_ASCII : QUOTE_TEXT);
}

void value_write_bytes(struct values *values, remote_addr object, const struct object_type *type)
{
    struct text_head text = {.kind = 1, .data = object + values->layout->bytes.data};
    if (!value_word(values, object + values->layout->bytes.length, &text.length)) {
        value_write_unreadable(values);
        return;
    }
    value_append(&values->text, type->kind == VALUE_BYTES ? "b" : "");
    write_quoted(values, &text, QUOTE_BYTES);
}

void value_write_byte_array(struct values *values, remote_addr object, const struct object_type *type)
{
    struct text_head text = {.kind = 1};
    (void)type;
    if (!value_word(values, object + values->layout->object.var_size, &text.length) ||
        !value_word(values, object + values->layout->byte_array.start, &text.data)) {
        value_write_unreadable(values);
        return;
    }
    value_append(&values->text, "bytearray(b");
    write_quoted(values, &text, values->layout->repr_format >= REPR_3_15 ? QUOTE_BYTES : QUOTE_ARRAY);
    value_append(&values->text, ")");
}

bool value_write_name(struct values *values, remote_addr text)
{
    buffer_clear(&values->scratch);
    bool is_read = text != 0 && text_read(values->layout, values->memory, text, &values->scratch) == PYTHON_OK;
    values->scratch.failed = false;
    if (is_read)
        value_append_len(&values->text, buffer_text(&values->scratch), values->scratch.len);
    return is_read;
}
