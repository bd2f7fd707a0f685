/* SPDX-License-Identifier: MIT */
/* Reading whole numbers of texts that may be anything. */
#ifndef FORMATS_NUMBER_H
#define FORMATS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The number that the whole text is, in digits of a base of up to 16. Returns false, and leaves *ret, when it is none:
 * empty, with a sign or space, or above 64 bits.
 */
bool number_parse(const char *text, size_t len, unsigned base, uint64_t *ret);

/* Likewise a decimal number, with a space and a unit behind it: "42 ns". */
bool number_parse_with_unit(const char *text, size_t len, const char *unit, uint64_t *ret);

#endif
