/* SPDX-License-Identifier: MIT */
#include "fuzz_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t fuzz_number(struct fuzz_input *input, unsigned len)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < len; i++)
        number |= (uint64_t)fuzz_byte(input) << 8 * i;
    return number;
}

size_t fuzz_below(struct fuzz_input *input, size_t limit)
{
    if (limit <= 1)
        return 0;
    return (size_t)fuzz_number(input, limit <= 256 ? 1 : 2) % limit;
}

uint64_t fuzz_edge(struct fuzz_input *input)
{
    static const uint64_t edges[] = {
        0,         1,          8,          255,        4096,      UINT16_MAX,        1 << 20,
        INT32_MAX, UINT32_MAX, 1ULL << 47, 1ULL << 62, INT64_MAX, UINT64_MAX - 4096, UINT64_MAX,
    };
    uint8_t choice = fuzz_byte(input);
    uint64_t number = edges[choice % (sizeof(edges) / sizeof(edges[0]))];
    return choice & 0x80 ? number + fuzz_byte(input) - 128 : number;
}

void fuzz_fill(struct fuzz_input *input, void *bytes, size_t len)
{
    size_t given = fuzz_left(input) < len ? fuzz_left(input) : len;
    if (given > 0)
        memcpy(bytes, input->at, given);
    if (len > given)
        memset((unsigned char *)bytes + given, 0, len - given);
    input->at += given;
}

void fuzz_require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}
