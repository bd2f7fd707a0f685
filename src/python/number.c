/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_LIMIT = 17, /* with which a double is exact */
    LIMB = 1000000000, /* decimal digits, nine at a time */
    LIMB_DIGITS = 9,
    LIMB_LIMIT = 481, /* NUMBER_DIGITS_LIMIT * 30 bits have 4308 decimal digits */
    /* CPython 3.13 Python/pystrtod.c: format_float_short(): beyond these positions of the point there is an exponent.
     */
    FIRST_FIXED = -3,
    LAST_FIXED = 16,
    HALF_FRACTION_BITS = 10,
    HALF_EXPONENT_MASK = 0x1f,
    HALF_BIAS = 15,
};

/* Digits of a number from the first that is not 0 on, and how many of them stand before the point. */
struct decimal {
    char digits[DIGITS_LIMIT + 1];
    int count, point;
};

/* The nearest number of 16 bits, for numbers within their range. */
static double round_to_half(double number)
{
    /* Adding and subtracting a number whose last bit has the weight of a half's rounds to that weight. */
    double weight = 0x1p-24, magnitude = number < 0 ? -number : number;
    while (magnitude >= weight * 2048 && weight < 32)
        weight *= 2;
    double big = weight * 0x1.8p52;
    return number + big - big;
}

static double read_back(const char *text, enum number_precision precision)
{
    if (precision == NUMBER_SINGLE)
        return (double)strtof(text, NULL);
    double number = strtod(text, NULL);
    return precision == NUMBER_HALF ? round_to_half(number) : number;
}

/* Takes "d.ddde+dd" apart. */
static void parse(const char *text, struct decimal *ret)
{
    const char *exponent = strchr(text, 'e');
    ret->count = 0;
    for (const char *at = text; at < exponent; at++) {
        if (*at != '.' && ret->count < DIGITS_LIMIT)
            ret->digits[ret->count++] = *at;
    }
    while (ret->count > 1 && ret->digits[ret->count - 1] == '0')
        ret->count--;
    ret->digits[ret->count] = '\0';
    ret->point = (int)strtol(exponent + 1, NULL, 10) + 1;
}

/* Makes the last digit of "d.ddde+dd" larger by one; false for a 9. */
static bool step_up(char *text)
{
    char *last = strchr(text, 'e') - 1;
    if (*last == '9')
        return false;
    (*last)++;
    return true;
}

/*
 * The fewest digits that read back as the number. At a power of two the numbers below are nearer than those above: the
 * nearest of so many digits may lie below and be another number's, while the next one above still reads back.
 */
static void find_shortest(double number, enum number_precision precision, struct decimal *ret)
{
    char text[NUMBER_TEXT_LEN];
    for (int count = 1; count <= DIGITS_LIMIT; count++) {
        snprintf(text, sizeof(text), "%.*e", count - 1, number);
        if (read_back(text, precision) == number || (step_up(text) && read_back(text, precision) == number))
            break;
        snprintf(text, sizeof(text), "%.*e", count - 1, number);
    }
    parse(text, ret);
}

static void write_fixed(const struct decimal *decimal, bool is_real, char *text)
{
    int at = 0, written = 0;
    if (decimal->point <= 0) {
        text[at++] = '0';
        text[at++] = '.';
        for (int i = decimal->point; i < 0; i++)
            text[at++] = '0';
    }
    while (written < decimal->count || written < decimal->point) {
        if (written == decimal->point && written > 0)
            text[at++] = '.';
        text[at++] = written < decimal->count ? decimal->digits[written] : '0';
        written++;
    }
    text[at] = '\0';
    if (is_real && decimal->count <= decimal->point)
        memcpy(text + at, ".0", sizeof(".0"));
}

static void write_exponent(const struct decimal *decimal, char *text)
{
    int exponent = decimal->point - 1;
    snprintf(text, NUMBER_TEXT_LEN - 1, "%c%s%se%c%02d", decimal->digits[0], decimal->count > 1 ? "." : "",
             decimal->digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
}

/* NumPy's Dragon4 goes by the number itself: numpy 1.24 core/src/multiarray/scalartypes.c.src. */
static bool is_fixed(const struct decimal *decimal, double magnitude, enum number_precision precision)
{
    if (precision != NUMBER_DOUBLE && magnitude != 0)
        return magnitude >= 1e-4 && magnitude < 1e16;
    return decimal->point >= FIRST_FIXED && decimal->point <= LAST_FIXED;
}

void number_write_float(double number, enum number_precision precision, bool is_real, char text[NUMBER_TEXT_LEN])
{
    struct decimal decimal = {.digits = "0", .count = 1, .point = 1};
    bool is_negative = __builtin_signbit(number);
    double magnitude = is_negative ? -number : number;
    if (__builtin_isnan(number)) {
        memcpy(text, "nan", sizeof("nan"));
        return;
    }
    if (is_negative)
        *text++ = '-';
    if (__builtin_isinf(number)) {
        memcpy(text, "inf", sizeof("inf"));
        return;
    }
    if (number != 0)
        find_shortest(magnitude, precision, &decimal);
    if (is_fixed(&decimal, magnitude, precision))
        write_fixed(&decimal, is_real, text);
    else
        write_exponent(&decimal, text);
}

void number_write_integer(const uint32_t *digits, size_t count, bool is_negative, char text[NUMBER_DECIMAL_LIMIT])
{
    uint32_t limbs[LIMB_LIMIT] = {0};
    size_t limb_count = 1;
    for (size_t i = count < NUMBER_DIGITS_LIMIT ? count : NUMBER_DIGITS_LIMIT; i-- > 0;) {
        uint64_t carry = digits[i] & ((1U << NUMBER_DIGIT_BITS) - 1);
        for (size_t k = 0; k < limb_count; k++) {
            carry += (uint64_t)limbs[k] << NUMBER_DIGIT_BITS;
            limbs[k] = (uint32_t)(carry % LIMB);
            carry /= LIMB;
        }
        for (; carry > 0 && limb_count < LIMB_LIMIT; carry /= LIMB)
            limbs[limb_count++] = (uint32_t)(carry % LIMB);
    }
    int len = snprintf(text, NUMBER_DECIMAL_LIMIT, "%s%u", is_negative ? "-" : "", limbs[limb_count - 1]);
    for (size_t k = limb_count - 1; k-- > 0; len += LIMB_DIGITS)
        snprintf(text + len, NUMBER_DECIMAL_LIMIT - (size_t)len, "%09u", limbs[k]);
}

double number_of_half(uint16_t bits)
{
    int exponent = bits >> HALF_FRACTION_BITS & HALF_EXPONENT_MASK;
    double fraction = bits & ((1 << HALF_FRACTION_BITS) - 1), number;
    if (exponent == HALF_EXPONENT_MASK)
        number = fraction != 0 ? __builtin_nan("") : __builtin_inf();
    else if (exponent == 0)
        number = fraction * 0x1p-24;
    else
        number = (1024 + fraction) * (exponent < HALF_BIAS + HALF_FRACTION_BITS
                                          ? 1.0 / (double)(1 << (HALF_BIAS + HALF_FRACTION_BITS - exponent))
                                          : (double)(1 << (exponent - HALF_BIAS - HALF_FRACTION_BITS)));
    return bits >> 15 ? -number : number;
}
