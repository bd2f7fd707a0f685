/* SPDX-License-Identifier: MIT */
/*
 * Small helpers for reading structs whose layout is data.
 */
#ifndef PYTHON_READ_H
#define PYTHON_READ_H

#include "memory/memory.h"
#include "python/status.h"

#include <stdint.h>
#include <string.h>

static inline enum python_status status_of_memory(enum memory_status status)
{
    if (status == MEMORY_OK)
        return PYTHON_OK;
    return status == MEMORY_FAULT ? PYTHON_BAD_MEMORY : PYTHON_GONE;
}

/* Fields of a struct that was copied to local bytes. */
static inline uint64_t field_u64(const unsigned char *bytes, uint16_t offset)
{
    uint64_t value;
    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

static inline uint32_t field_u32(const unsigned char *bytes, uint16_t offset)
{
    uint32_t value;
    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

#endif
