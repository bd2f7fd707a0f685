/* SPDX-License-Identifier: MIT */
/*
 * Looking things up in dicts and instances of the target. A running program may change them meanwhile: every length has
 * a limit, and what is found is only as true as the memory it was read from.
 */
#ifndef PYTHON_DICT_H
#define PYTHON_DICT_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct layout;

enum {
    DICT_STEP = 32,       /* entries read at a time */
    DICT_WORDS_LIMIT = 3, /* of an entry */
    DICT_EARLY_COUNT = 4096,
    DICT_ORDER_LIMIT = 30, /* CPython 3.11 Include/internal/pycore_dict.h: SHARED_KEYS_MAX_SIZE */
};

/* Goes through entries in the order in which they were made; in 2.7, as its own loops do, in that of the table. */
struct dict_reader {
    const struct layout *layout;
    struct memory *memory;
    remote_addr first; /* of the entries */
    uint64_t count;
    uint32_t words;                  /* of an entry: hash, key and value, or key and value */
    remote_addr values;              /* of a split table; 0 when the values are in the entries */
    uint64_t next, spent;            /* spent: what was taken off a budget */
    bool is_cut;                     /* there are more entries than are looked at */
    bool is_broken;                  /* an entry could not be read, so that the rest is not known */
    uint64_t read_first, read_count; /* the entries that were read last */
    uint64_t read[DICT_STEP * DICT_WORDS_LIMIT];
    bool has_order; /* entries are gone through in this order: */
    uint8_t order[DICT_ORDER_LIMIT];
};

/* Begins with the entries of a dict. False when it cannot be read. */
bool dict_begin(const struct layout *layout, struct memory *memory, remote_addr dict, struct dict_reader *ret);

/* Begins with the attributes of an instance, other than those in slots. False when it has none of that kind. */
bool instance_begin(const struct layout *layout, struct memory *memory, remote_addr object, struct dict_reader *ret);

/* Goes on to the next key and its value; false at the end, at a limit, and where no further entry can be read. */
bool dict_next(struct dict_reader *reader, remote_addr *ret_key, remote_addr *ret_value);

/*
 * What may still be spent on looking things up. One look-up takes up to ENTRY_LIMIT entries of a dict, and a target may
 * have any number of things to be looked up.
 */
struct dict_budget {
    uint64_t entries; /* that may be looked at */
    uint64_t reads;   /* of the target itself */
    uint64_t start;   /* memory.remote_reads when the current look-up began */
};

/* Around look-ups. False when nothing is left. */
bool dict_budget_begin(struct dict_budget *budget, const struct memory *memory);
void dict_budget_end(struct dict_budget *budget, const struct memory *memory);

/*
 * The value for a str key that is this text, as text_equals() compares it. False when there is none, or it was not
 * found within the budget.
 */
bool dict_find_text(const struct layout *layout, struct memory *memory, remote_addr dict, const char *key,
                    struct dict_budget *budget, remote_addr *ret);

/* The same among the first DICT_EARLY_COUNT entries, where what a class or module begins with is. */
bool dict_find_early_text(const struct layout *layout, struct memory *memory, remote_addr dict, const char *key,
                          remote_addr *ret);

/* The value for an int key; likewise. */
bool dict_find_number(const struct layout *layout, struct memory *memory, remote_addr dict, uint64_t key,
                      struct dict_budget *budget, remote_addr *ret);

/* What an int is, if that is neither negative nor more than 64 bits. */
bool integer_read(const struct layout *layout, struct memory *memory, remote_addr object, uint64_t *ret);

/*
 * The attribute of an instance of a class that Python code defined, if it is among the first DICT_EARLY_COUNT. False
 * when it has none of that name.
 */
bool instance_find_attribute(const struct layout *layout, struct memory *memory, remote_addr object, const char *name,
                             remote_addr *ret);

#endif
