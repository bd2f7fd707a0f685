/* SPDX-License-Identifier: MIT */
/*
 * Where things lie in the structs of one CPython build. Layouts are data: a version that is new is a new row in
 * layout.c, and the code that walks asks the row, never the version.
 *
 * All offsets are bytes from the start of the struct, on 64-bit little-endian Linux.
 */
#ifndef PYTHON_LAYOUT_H
#define PYTHON_LAYOUT_H

#include "base/error.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LAYOUT_NONE = UINT16_MAX, /* this version has no such field */

    /* Bytes that are read at most of the start of each struct, whatever a layout says. */
    LAYOUT_THREAD_LEN = 256,
    LAYOUT_FRAME_LEN = 128,
    LAYOUT_CODE_LEN = 256,
    LAYOUT_TEXT_LEN = 64,
    LAYOUT_DICT_LEN = 64,
    LAYOUT_KEYS_LEN = 64,
    LAYOUT_GIL_LEN = 64,
};

/* How a code object says which line an instruction belongs to. */
enum line_format {
    LINES_LNOTAB,    /* co_lnotab, to 3.9 */
    LINES_RANGES,    /* co_linetable of 3.10 */
    LINES_LOCATIONS, /* co_linetable from 3.11 on */
};

/* How a frame tells that C code, not Python code, called it: that it is the outermost of its evaluation loop. */
enum entry_format {
    ENTRY_ALWAYS, /* to 3.10 each Python call is an evaluation loop of its own */
    ENTRY_FLAG,   /* 3.11: is_entry */
    ENTRY_SHIM,   /* from 3.12 on: a shim frame, which lies on the C stack, follows it */
};

/* How an object of a class that Python code defined keeps its attributes. */
enum attribute_format {
    ATTRIBUTES_DICT,          /* to 3.10: a dict at tp_dictoffset */
    ATTRIBUTES_SPLIT_WORDS,   /* 3.11: values at -32, dict at -24 */
    ATTRIBUTES_TAGGED_WORD,   /* 3.12: one word at -24, tagged when it points to values */
    ATTRIBUTES_INLINE_VALUES, /* 3.13: dict at -24, else values behind the object */
};

struct layout {
    uint16_t version; /* major << 8 | minor */
    enum line_format line_format;
    enum entry_format entry_format;
    enum attribute_format attribute_format;

    struct {
        uint16_t interpreters_head;
        uint16_t gil; /* to 3.11, where the GIL belongs to the runtime */
    } runtime;
    struct {
        uint16_t next, threads_head, modules;
        uint16_t gil_pointer; /* from 3.12 on, where the GIL belongs to an interpreter */
    } interpreter;
    struct {
        uint16_t last_holder, locked, switch_number;
    } gil;
    struct {
        uint16_t next, interpreter;
        uint16_t frame;        /* what runs: a frame, or from 3.11 to 3.12 a _PyCFrame */
        uint16_t cframe_frame; /* the frame inside a _PyCFrame */
        uint16_t id, native_id;
        uint16_t
            stack_chunk; /* from 3.11 on: the newest chunk of the stack of frames, and then the end of its used part */
    } thread;
    struct {
        uint16_t size; /* what has to be read */
        uint16_t code, previous;
        uint16_t instruction;     /* f_lasti (an int) to 3.10, else a pointer to the instruction */
        uint16_t is_entry;        /* 3.11 */
        uint16_t owner;           /* from 3.11 on: whose memory the frame lies in */
        uint8_t instruction_unit; /* bytes that f_lasti counts in; 0 where the instruction is a pointer */
    } frame;
    struct {
        uint16_t size; /* what has to be read */
        uint16_t filename, name, qualname, line_table, first_line;
        uint16_t version;         /* co_version: changes with the code object, not with its address */
        uint16_t instructions;    /* co_code_adaptive, where the instruction is a pointer */
        uint16_t first_traceable; /* _co_firsttraceable: code units before the function begins, from 3.11 on */
    } code;
    struct {
        uint16_t length, hash, state, ascii_data, compact_data;
    } text;
    struct {
        uint16_t length, data;
    } bytes;
    struct {
        uint16_t type, var_size; /* ob_type, ob_size */
    } object;
    struct {
        uint16_t basic_size, flags, dict_offset;
        uint16_t cached_keys; /* of a heap type */
    } type;
    struct {
        uint16_t keys, values;
        uint16_t log2_index_bytes, kind; /* of the keys object, from 3.11 on */
        uint16_t size;                   /* of the keys object, to 3.10 */
        uint16_t entry_count, indices;   /* of the keys object */
        uint16_t first_value;            /* of a split table's values */
    } dict;
    struct {
        uint16_t tag; /* lv_tag, from 3.12 on; before that ob_size */
        uint16_t digits;
    } integer;
    struct {
        uint16_t dict;
    } module;
};

/* The constant part for a version; NULL for one that is not known. Versions from 3.13 on still want debug offsets. */
const struct layout *layout_of_version(unsigned major, unsigned minor);

/* All known versions as a text: "3.8, 3.9, ... and 3.13". */
const char *layout_versions(void);

/* All rows; for tests. */
const struct layout *layout_all(uint32_t *ret_count);

/*
 * What stands at the start of _PyRuntime from 3.13 on.
 * CPython 3.13 Include/internal/pycore_runtime.h: struct _Py_DebugOffsets.
 */
struct debug_offsets {
    uint32_t version; /* PY_VERSION_HEX */
    bool is_free_threaded;
};

/* Returns false when there are no debug offsets at the address. */
bool debug_offsets_read(struct memory *memory, remote_addr runtime, struct debug_offsets *ret);

/* Replaces what the target's own debug offsets say better. ERROR_BAD_DATA when they contradict themselves. */
struct error *layout_apply_debug_offsets(struct layout *layout, struct memory *memory, remote_addr runtime);

#endif
