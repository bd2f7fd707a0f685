/* SPDX-License-Identifier: MIT */
/*
 * Columns of numbers inside an XML file: each number in 7-bit groups, least first (LEB128), the bytes in base64 without
 * padding in between, in <metadata data-pyspyc="NAME"> elements. A long column is cut into several elements, as strict
 * parsers refuse text of more than 10 MB; their texts follow each other.
 */
#ifndef FORMATS_COLUMNS_H
#define FORMATS_COLUMNS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { COLUMN_CHUNK = 3 << 10 }; /* bytes encoded at once; a multiple of 3 needs no padding */

struct column {
    FILE *out;
    const char *name;
    size_t len;    /* bytes waiting */
    size_t chunks; /* written into the element that is open */
    uint8_t bytes[COLUMN_CHUNK];
};

void column_begin(struct column *column, FILE *out, const char *name);
void column_add(struct column *column, uint64_t number);
void column_end(struct column *column);

#endif
