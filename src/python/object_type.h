/* SPDX-License-Identifier: MIT */
/*
 * What kind of object a type makes, as far as its values can be written. A type is known by its name, or by that of the
 * nearest base that is known; nothing of it is ever called.
 */
#ifndef PYTHON_OBJECT_TYPE_H
#define PYTHON_OBJECT_TYPE_H

#include "base/table.h"
#include "memory/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct layout;

enum {
    TYPE_NAME_LEN = 160,     /* bytes kept of a type's name, the NUL included */
    TYPE_COUNT_LIMIT = 4096, /* types kept at a time */
    TYPE_BASE_LIMIT = 64,    /* bases looked at */
    TYPE_MRO_LIMIT = 128,    /* classes of one __mro__ looked at, */
    TYPE_ENTRY_LIMIT = 8192, /* and entries of all of their dicts */
};

/* How a value is laid out, and so how it is written. */
enum value_kind {
    VALUE_OBJECT, /* nothing but a type, and perhaps attributes */
    VALUE_NONE,
    VALUE_ELLIPSIS,
    VALUE_NOT_IMPLEMENTED,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_INT_2, /* 2.7's int, which is a C long */
    VALUE_LONG_2,
    VALUE_FLOAT,
    VALUE_COMPLEX,
    VALUE_STR,
    VALUE_UNICODE_2,
    VALUE_BYTES,
    VALUE_BYTES_2, /* 2.7's str */
    VALUE_BYTE_ARRAY,
    VALUE_LIST,
    VALUE_TUPLE,
    VALUE_DICT,
    VALUE_FROZEN_DICT,
    VALUE_DEFAULT_DICT,
    VALUE_ORDERED_DICT,
    VALUE_SET,
    VALUE_FROZEN_SET,
    VALUE_DEQUE,
    VALUE_RANGE,
    VALUE_RANGE_2, /* 2.7's xrange */
    VALUE_SLICE,
    VALUE_CLASS,
    VALUE_CLASS_2,    /* 2.7's old-style classes, */
    VALUE_INSTANCE_2, /* and their instances */
    VALUE_FUNCTION,
    VALUE_BUILTIN,
    VALUE_METHOD,
    VALUE_MODULE,
    VALUE_CODE,
    VALUE_GENERATOR,
    VALUE_CELL,
    VALUE_EXCEPTION,
    VALUE_DATE,
    VALUE_DATETIME,
    VALUE_TIME,
    VALUE_TIME_DELTA,
    VALUE_TIME_ZONE,
    VALUE_ARRAY,
    VALUE_ARRAY_SCALAR,
    VALUE_KIND_COUNT,
};

/* What is known of how a class of Python code writes its instances. */
enum class_form {
    CLASS_UNKNOWN, /* nobody has looked yet */
    CLASS_ORDINARY,
    CLASS_ENUM,
    CLASS_DATA,        /* fields: a dict of them */
    CLASS_NAMED_TUPLE, /* fields: a tuple of their names */
};

struct class_facts {
    enum class_form form;
    remote_addr fields;
    remote_addr owner; /* the class whose __repr__() it is */
};

struct object_type {
    remote_addr address;
    uint64_t flags;
    enum value_kind kind;
    char detail;                   /* of a numpy scalar: which number it is, as numpy.dtype.char says */
    bool is_exact;                 /* it is the known type, not one that is derived from it */
    bool is_heap;                  /* made while the program ran: all that Python code defines, and some others */
    bool has_own_repr;             /* its repr() is not that of the known type */
    struct class_facts *facts;     /* kept with the type; for who writes instances */
    char name[TYPE_NAME_LEN];      /* tp_name, cut; of Python's own classes without module */
    char full_name[TYPE_NAME_LEN]; /* "module.Outer.Inner", cut */
};

/* Where a type is kept, as pointers to it are in use while others are added. */
struct met_type {
    struct object_type *type; /* owned, with its facts */
};

/* The types that were met. A zeroed struct is empty. */
struct object_types {
    struct met_type *types;
    uint32_t count, capacity;
    struct table by_address;
};

void object_types_deinit(struct object_types *types);

/* Forgets all of them: memory may have changed. */
void object_types_clear(struct object_types *types);

/* Valid until types are forgotten. NULL: it cannot be read, or we are out of memory. */
const struct object_type *object_types_find(struct object_types *types, const struct layout *layout,
                                            struct memory *memory, remote_addr address);

/*
 * Copies a C string of the target, at most len - 1 bytes of it, and a NUL; what is no UTF-8 in it becomes '?'. False
 * when it cannot be read.
 */
bool c_string_read(struct memory *memory, remote_addr address, char *ret, size_t len);

/* What a class, or the first of its bases that has it, has under a name; and whose it is. False when none has it. */
bool class_find_attribute(const struct layout *layout, struct memory *memory, remote_addr type, const char *name,
                          remote_addr *ret, remote_addr *ret_owner);

/* Whether one of a class's bases, or it itself, has this tp_name. */
bool class_has_base(const struct layout *layout, struct memory *memory, remote_addr type, const char *name);

#endif
