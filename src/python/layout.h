/* SPDX-License-Identifier: MIT */
/*
 * Where things lie in the structs of one CPython build. Layouts are data: a version that is new is a new row in
 * layout.c, and the code that walks asks the row, never the version.
 *
 * All offsets are bytes from the start of the struct, on 64-bit little-endian Linux.
 */
#ifndef PYTHON_LAYOUT_H
#define PYTHON_LAYOUT_H

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
    LINES_LNOTAB_UNSIGNED, /* co_lnotab of 2.7 */
    LINES_LNOTAB,          /* co_lnotab, from 3.6 to 3.9 */
    LINES_RANGES,          /* co_linetable of 3.10 */
    LINES_LOCATIONS,       /* co_linetable from 3.11 on */
};

/* Who may run Python code, and where that is written. */
enum gil_format {
    GIL_CURRENT_THREAD, /* to 3.6: a variable that names the thread state with the GIL */
    GIL_OF_RUNTIME,     /* 3.7 to 3.11: one GIL in _PyRuntime */
    GIL_OF_INTERPRETER, /* from 3.12 on: each interpreter points to its GIL, which can be the main interpreter's */
    GIL_OPTIONAL,       /* free-threaded: as before, but any thread may run as long as it is not enabled */
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
    ATTRIBUTES_INLINE_VALUES, /* from 3.13 on: dict before the object, else values behind it */
};

/* How repr() writes what is written otherwise in other versions. Later ones are larger. */
enum repr_format {
    REPR_2,    /* u'', 1L, set([1]), <type 'int'> */
    REPR_3,    /* ValueError('x',) and datetime.timedelta(1), as 2.7 */
    REPR_3_7,  /* ValueError('x') and datetime.timedelta(days=1) */
    REPR_3_12, /* OrderedDict({'a': 1}) for OrderedDict([('a', 1)]) */
    REPR_3_15, /* bytearray(b"'") for bytearray(b"\\'") */
};

/* How dicts and ints are laid out. */
enum container_format {
    CONTAINERS_2, /* 2.7: a dict is one table of hash, key and value; an int is a C long */
    CONTAINERS_3,
};

struct layout {
    const char *thread_name; /* the attribute of a threading.Thread that holds its name */
    uint16_t version;        /* major << 8 | minor */
    bool is_free_threaded;
    enum line_format line_format;
    enum gil_format gil_format;
    enum entry_format entry_format;
    enum attribute_format attribute_format;
    enum container_format container_format;
    enum repr_format repr_format;

    struct {
        uint16_t interpreters_head;
        uint16_t gil; /* GIL_OF_RUNTIME */
    } runtime;
    struct {
        uint16_t next, threads_head, modules, sysdict, builtins;
        uint16_t id;               /* an int64; from 3.7 on */
        uint16_t gil_pointer;      /* GIL_OF_INTERPRETER and GIL_OPTIONAL */
        uint16_t collecting;       /* an int: garbage is being collected; from 3.9 on */
        uint16_t collecting_frame; /* where that began; from 3.15 on */
    } interpreter;
    struct {
        uint16_t enabled; /* an int; GIL_OPTIONAL */
        uint16_t last_holder, locked, switch_number;
        uint16_t condition; /* a pthread_cond_t: where threads wait for it */
    } gil;
    struct {
        uint16_t next, interpreter;
        uint16_t frame;           /* what runs: a frame, or from 3.11 to 3.12 a _PyCFrame */
        uint16_t cframe;          /* 3.10 to 3.12: a pointer to a struct on the C stack of the thread that runs it */
        uint16_t cframe_frame;    /* the frame inside a _PyCFrame */
        uint16_t cframe_previous; /* that of the evaluation loop which called this one; 3.10 to 3.12 */
        uint16_t id, native_id;
        uint16_t state; /* an int: whether it may run Python code; from 3.13 on, of use in free-threaded builds */
        uint16_t
            stack_chunk; /* from 3.11 on: the newest chunk of the stack of frames, and then the end of its used part */
    } thread;
    struct {
        uint16_t size; /* what has to be read */
        uint16_t code, previous;
        uint16_t instruction;     /* f_lasti (an int) to 3.10, else a pointer to the instruction */
        uint16_t is_entry;        /* 3.11 */
        uint16_t owner;           /* from 3.11 on: whose memory the frame lies in */
        uint16_t tlbc_index;      /* an int: which thread's copy of the instructions; free-threaded, from 3.14 on */
        uint8_t instruction_unit; /* bytes that f_lasti counts in; 0 where the instruction is a pointer */
        uint8_t code_tag;         /* low bits of the pointer to the code that do not belong to it */
    } frame;
    struct {
        uint16_t size; /* what has to be read */
        uint16_t filename, name, qualname, line_table, first_line;
        uint16_t version;         /* co_version: changes with the code object, not with its address */
        uint16_t instructions;    /* co_code_adaptive, where the instruction is a pointer */
        uint16_t first_traceable; /* _co_firsttraceable: code units before the function begins, from 3.11 on */
        uint16_t tlbc;            /* co_tlbc: the threads' copies of the instructions; free-threaded, from 3.14 on */
    } code;
    struct {
        uint16_t length, hash;
        uint16_t state;        /* from 3.6 on; 2.7 has bytes, and unicode objects whose data lies elsewhere */
        uint16_t ascii_data;   /* of a compact ASCII str */
        uint16_t compact_data; /* of any other compact str; a pointer to the data where it lies elsewhere */
        uint8_t kind_shift;    /* where in the state the kind begins; "compact" and "ascii" follow it */
        uint8_t wide_len;      /* 2.7: bytes of a character of a unicode object */
    } text;
    struct {
        uint16_t length, data;
    } bytes;
    struct {
        uint16_t type, var_size; /* ob_type, ob_size */
    } object;
    struct {
        uint16_t name, basic_size, item_size, flags, dict_offset;
        uint16_t repr, members, base, dict, mro;
        uint16_t qualname, cached_keys; /* of a heap type; not in 2.7 */
        uint16_t managed_dict;          /* how far before an object its dict is noted, from 3.11 on */
    } type;
    struct {
        uint16_t mask, table; /* 2.7 */
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
    /* Threads that wait for a lock do so in CPython's own parking lot: from 3.13 on. */
    bool parks_threads;
    /* The arguments, other locals and cells of a frame, and what its code object says of them. */
    struct {
        uint16_t first; /* of a frame */
        uint16_t arg_count, kwonly_count, flags;
        uint16_t names;                           /* a tuple: co_varnames, and from 3.11 on co_localsplusnames */
        uint16_t kinds;                           /* a bytes, from 3.11 on: co_localspluskinds */
        uint16_t local_count, cellvars, freevars; /* to 3.10: the cells follow the locals */
        uint16_t tag;                             /* low bits of what stands there that do not belong to a pointer */
    } locals;
    struct {
        uint16_t items; /* the first of them */
    } tuple;
    struct {
        uint16_t items; /* a pointer to the first of them */
    } list;
    struct {
        uint16_t mask, table;
        uint16_t key; /* in an entry, which has a hash besides */
    } set;
    struct {
        uint16_t start; /* a pointer to the first byte */
    } byte_array;
    struct {
        uint16_t value;
    } cell;
    struct {
        uint16_t code, qualname; /* 2.7 has no qualified names */
        uint16_t name;           /* what its repr() shows */
    } function;
    struct {
        uint16_t name; /* gi_qualname: what its repr() shows; not in 2.7 */
    } generator;
};

/* The constant part for a version; NULL for one that is not known. Versions from 3.13 on still want debug offsets. */
const struct layout *layout_of_version(unsigned major, unsigned minor, bool is_free_threaded);

/* Corrects the row of a minor version for patch levels that differ; micro -1: not known. */
void layout_adjust_to_patch(struct layout *layout, int micro);

/* All known versions as a text. */
const char *layout_versions(void);

/* All rows; for tests. */
const struct layout *layout_all(uint32_t *ret_count);

#endif
