/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <string.h>

/* The value of a digit; 16 when it is none. */
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a' + 10);
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10) : 16;
}

bool number_parse(const char *text, size_t len, unsigned base, uint64_t *ret)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = digit_value(text[i]);
        if (digit >= base || __builtin_mul_overflow(number, (uint64_t)base, &number) ||
            __builtin_add_overflow(number, (uint64_t)digit, &number))
            return false;
    }
    if (len > 0)
        *ret = number;
    return len > 0;
}

bool number_parse_with_unit(const char *text, size_t len, const char *unit, uint64_t *ret)
{
    size_t unit_len = strlen(unit);
    return len > unit_len && text[len - unit_len - 1] == ' ' && memcmp(text + len - unit_len, unit, unit_len) == 0 &&
           number_parse(text, len - unit_len - 1, 10, ret);
}
