/* SPDX-License-Identifier: MIT */
/*
 * What stands at the start of _PyRuntime from 3.13 on, for readers like us: where things lie in the interpreter that
 * runs. It changes within a minor version, so nothing that it says is taken from a row of layout.c.
 *
 * CPython 3.13 Include/internal/pycore_runtime.h, 3.14 and 3.15 Include/internal/pycore_debug_offsets.h:
 * struct _Py_DebugOffsets.
 */
#ifndef PYTHON_DEBUG_OFFSETS_H
#define PYTHON_DEBUG_OFFSETS_H

#include "base/error.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct layout;

struct debug_offsets {
    uint32_t version; /* PY_VERSION_HEX */
    bool is_free_threaded;
};

/* Returns false when there are no debug offsets at the address. */
bool debug_offsets_read(struct memory *memory, remote_addr runtime, struct debug_offsets *ret);

/*
 * Replaces what the target's own debug offsets say better. The layout's version says which words the table has.
 * ERROR_BAD_DATA when they contradict themselves, or the layout.
 */
struct error *debug_offsets_apply(struct layout *layout, struct memory *memory, remote_addr runtime);

#endif
