/* SPDX-License-Identifier: MIT */
/*
 * What code_reader and code_service say to each other. Each message is one packet. The answer comes from a process that
 * a hostile file may have taken over, and is believed in nothing but its text.
 */
#ifndef CODE_MESSAGES_H
#define CODE_MESSAGES_H

#include "image/debug_lines.h"
#include "image/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CODE_FILE_LIMIT = 2,          /* files of a module: its own, and the one with its symbols */
    CODE_TEXT_LIMIT = 16 << 10,   /* bytes of one text; what is longer is cut */
    CODE_ANSWER_LIMIT = 96 << 10, /* bytes of a packet: half of what a socket takes (net.core.wmem_default) */
};

enum code_question_kind {
    CODE_OPEN,   /* a new module; its files come with it */
    CODE_FORGET, /* a module is no longer there */
    CODE_FIND,   /* what is at an address? the only one that is answered */
};

struct code_question {
    uint32_t kind;
    uint32_t module;  /* its number */
    uint64_t address; /* of the file */
};

/*
 * Behind it: the symbol as the linker has it, and the folder that the compiler ran in; then for each place its line, a
 * byte that is 1 for a function of Cython, its name and its file. Texts end with a NUL.
 */
struct code_answer {
    uint64_t start, len; /* of the function, in addresses of the file */
    uint32_t is_found;   /* whether they are known */
    uint32_t count;      /* of places, the innermost first: inlined functions, and the one that they are in */
};

/* A function that an address is in. */
struct code_place {
    const char *name; /* in the source's language; "" when not known */
    const char *file; /* as the compiler named it; "" when not known */
    int32_t line;     /* 0: not known */
    bool is_of_cython;
};

/* What is known of an address. Texts are in the answer. */
struct code_description {
    struct image_range function;                 /* in addresses of the file */
    bool is_found;                               /* whether that is known */
    const char *symbol;                          /* of the function, as the linker has it; "" when not known */
    const char *folder;                          /* that the compiler ran in, for files without a leading slash */
    struct code_place places[DEBUG_PLACE_LIMIT]; /* the innermost inlined function first; the last one has them all */
    uint32_t count;                              /* at least 1 */
};

/* Reads an answer. False, and *ret untouched, when it is none. */
bool code_answer_read(const char *bytes, size_t len, struct code_description *ret);

#endif
