/* SPDX-License-Identifier: MIT */
/*
 * Numbers as repr() writes them. Nothing here depends on a locale but printf's decimal point, which the program never
 * changes.
 */
#ifndef PYTHON_NUMBER_H
#define PYTHON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NUMBER_TEXT_LEN = 40,        /* bytes of a floating-point number, the NUL included */
    NUMBER_DIGIT_BITS = 30,      /* CPython Include/cpython/longintrepr.h: PyLong_SHIFT on 64-bit machines */
    NUMBER_DIGITS_LIMIT = 477,   /* of an int that is written; Python itself refuses more than 4300 decimal ones */
    NUMBER_DECIMAL_LIMIT = 4320, /* bytes that such an int takes, the NUL included */
};

/* The floating-point types, which differ in how many digits tell their numbers apart. */
enum number_precision { NUMBER_HALF, NUMBER_SINGLE, NUMBER_DOUBLE };

/*
 * The shortest digits that read back as the same number of its type. is_real: an integral number ends in ".0", as a
 * float's does and a complex number's parts do not.
 */
void number_write_float(double number, enum number_precision precision, bool is_real, char text[NUMBER_TEXT_LEN]);

/* A number of digits of 30 bits, the lowest first; at most NUMBER_DIGITS_LIMIT. */
void number_write_integer(const uint32_t *digits, size_t count, bool is_negative, char text[NUMBER_DECIMAL_LIMIT]);

/* A number of 16 bits, as IEEE 754 has it. */
double number_of_half(uint16_t bits);

#endif
