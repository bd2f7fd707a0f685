/* SPDX-License-Identifier: MIT */
/*
 * What stands at the start of _PyRuntime from 3.13 on: struct _Py_DebugOffsets as real builds for x86-64 have it. A
 * test then changes what it wants to see refused, field by field, by CPython's names: "interpreter_frame.owner".
 */
#ifndef PYTHON_DEBUG_TABLE_H
#define PYTHON_DEBUG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEBUG_TABLE_LEN_LIMIT = 888 };

enum debug_table_build {
    DEBUG_TABLE_3_13_0,
    DEBUG_TABLE_3_13_5T, /* T: free-threaded */
    DEBUG_TABLE_3_14_4,
    DEBUG_TABLE_3_14_4T,
    DEBUG_TABLE_3_14_8,
    DEBUG_TABLE_3_15_0,
    DEBUG_TABLE_3_15_0T, /* compiled from the headers of 3.15.0; the others were read in running interpreters */
    DEBUG_TABLE_BUILD_COUNT,
};

struct debug_table {
    enum debug_table_build build;
    uint32_t version; /* PY_VERSION_HEX */
    bool is_free_threaded;
    unsigned char bytes[DEBUG_TABLE_LEN_LIMIT];
    size_t len;
};

void debug_table_init(struct debug_table *table, enum debug_table_build build);

/* Whether the table of this minor version has such a field. The two functions below want one that it has. */
bool debug_table_has(const struct debug_table *table, const char *field);
uint64_t debug_table_get(const struct debug_table *table, const char *field);
void debug_table_put(struct debug_table *table, const char *field, uint64_t value);

#endif
