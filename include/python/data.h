/* SPDX-License-Identifier: MIT */
/*
 * The writable memory of one file that a target has mapped: .data and .bss. What a Python without symbols can be known
 * by lies there.
 */
#ifndef PYTHON_DATA_H
#define PYTHON_DATA_H

#include "memory/maps.h"
#include "memory/memory.h"

#include <stdint.h>

struct loaded_image;

enum {
    PYTHON_DATA_RANGE_LIMIT = 4,
    PYTHON_DATA_LIMIT = 16 * 1024 * 1024, /* bytes of one file's data that are looked through; CPython has about 2 MB */
};

struct python_data {
    struct {
        remote_addr address;
        uint64_t len;
    } ranges[PYTHON_DATA_RANGE_LIMIT];
    uint32_t count;
};

/* As the program headers of the file say. */
void python_data_of_image(const struct loaded_image *image, struct python_data *ret);

/* As the maps say, for a file that cannot be opened: its writable mappings, and the anonymous ones right behind them.
 */
void python_data_of_mapping(const struct maps *maps, const struct mapping *mapping, struct python_data *ret);

#endif
