/* SPDX-License-Identifier: MIT */
#include "value.h"

#include "dict.h"
#include "text.h"

#include <inttypes.h>
#include <string.h>

enum {
    WORD_LEN = sizeof(uint64_t),
    ITEM_STEP = 16,         /* items read at a time */
    SET_LIMIT = 1 << 16,    /* entries of one set's table that are looked at */
    SET_WORDS = 2,          /* of an entry */
    DEQUE_BLOCK_ITEMS = 64, /* CPython 3.13 Modules/_collectionsmodule.c: BLOCKLEN */
    DEQUE_BLOCK_LIMIT = 1024,
};

bool value_open_list(struct values *values, remote_addr list, remote_addr *ret_items, uint64_t *ret_count)
{
    return value_word(values, list + values->layout->object.var_size, ret_count) &&
           value_word(values, list + values->layout->list.items, ret_items);
}

bool value_open_tuple(struct values *values, remote_addr tuple, remote_addr *ret_items, uint64_t *ret_count)
{
    *ret_items = tuple + values->layout->tuple.items;
    return value_word(values, tuple + values->layout->object.var_size, ret_count);
}

/* Writes objects with commas between them. */
static void write_items(struct values *values, remote_addr items, uint64_t count)
{
    uint64_t words[ITEM_STEP];
    for (uint64_t i = 0; i < count && !values->text.is_full; i++) {
        if (i % ITEM_STEP == 0) {
            uint64_t left = count - i, step = left < ITEM_STEP ? left : ITEM_STEP;
            if (memory_read(values->memory, items + i * WORD_LEN, words, step * WORD_LEN) != MEMORY_OK) {
                value_append(&values->text, i > 0 ? ", " : "");
                value_write_unreadable(values);
                return;
            }
        }
        value_append(&values->text, i > 0 ? ", " : "");
        value_write(values, words[i % ITEM_STEP]);
    }
}

void value_write_list(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr items;
    uint64_t count;
    (void)type;
    if (!value_open_list(values, object, &items, &count)) {
        value_write_unreadable(values);
        return;
    }
    if (!value_enter(values, object, "[...]"))
        return;
    value_append(&values->text, "[");
    write_items(values, items, count);
    value_append(&values->text, "]");
    value_leave(values);
}

void value_write_tuple(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr items;
    uint64_t count;
    (void)type;
    if (!value_open_tuple(values, object, &items, &count)) {
        value_write_unreadable(values);
        return;
    }
    if (!value_enter(values, object, "(...)"))
        return;
    value_append(&values->text, "(");
    write_items(values, items, count);
    value_append(&values->text, count == 1 ? ",)" : ")");
    value_leave(values);
}

/* What stands for entries that are not written. */
static void write_missing(struct values *values, bool is_broken, bool is_cut, bool is_first)
{
    if (is_broken || is_cut)
        value_append(&values->text, is_first ? "" : ", ");
    if (is_broken)
        value_write_unreadable(values);
    else if (is_cut)
        value_append(&values->text, "...");
}

/* Writes the entries of a dict, as "1: 2" or as "(1, 2)". */
static void write_entries(struct values *values, struct dict_reader *reader, bool is_of_pairs)
{
    remote_addr key, value;
    uint64_t before = reader->next;
    bool is_first = true;
    for (; !values->text.is_full && dict_next(reader, &key, &value); is_first = false) {
        if (value_is_over(values, (reader->next - before) / VALUE_STEP_ENTRIES))
            return;
        before = reader->next;
        value_append(&values->text, is_first ? "" : ", ");
        value_append(&values->text, is_of_pairs ? "(" : "");
        value_write(values, key);
        value_append(&values->text, is_of_pairs ? ", " : ": ");
        value_write(values, value);
        value_append(&values->text, is_of_pairs ? ")" : "");
    }
    value_is_over(values, (reader->next - before) / VALUE_STEP_ENTRIES);
    write_missing(values, reader->is_broken, reader->is_cut, is_first);
}

/* A type's name without its module. */
static const char *short_name(const struct object_type *type)
{
    const char *dot = strrchr(type->name, '.');
    return dot ? dot + 1 : type->name;
}

/* How a dict is written: what is around its entries. */
struct dict_form {
    const char *placeholder, *open, *close;
    bool is_of_pairs;
};

static void write_dict(struct values *values, remote_addr object, const struct dict_form *form, bool is_bare_if_empty)
{
    struct dict_reader reader;
    remote_addr key, value;
    if (!dict_begin(values->layout, values->memory, object, &reader)) {
        value_write_unreadable(values);
        return;
    }
    bool is_bare = is_bare_if_empty && !dict_next(&reader, &key, &value) && !reader.is_broken && !reader.is_cut;
    reader.next = 0;
    if (is_bare || !value_enter(values, object, form->placeholder))
        return;
    value_append(&values->text, form->open);
    write_entries(values, &reader, form->is_of_pairs);
    value_append(&values->text, form->close);
    value_leave(values);
}

static const struct dict_form braces = {"{...}", "{", "}", false};
static const struct dict_form pairs = {"...", "[", "]", true};

void value_write_dict(struct values *values, remote_addr object, const struct object_type *type)
{
    (void)type;
    write_dict(values, object, &braces, false);
}

/* A dict between a name's parentheses. */
static void write_named_dict(struct values *values, remote_addr object, const struct object_type *type,
                             const struct dict_form *form)
{
    value_append(&values->text, short_name(type));
    value_append(&values->text, "(");
    write_dict(values, object, form, true);
    value_append(&values->text, ")");
}

void value_write_frozen_dict(struct values *values, remote_addr object, const struct object_type *type)
{
    write_named_dict(values, object, type, &braces);
}

/* CPython Objects/odictobject.c: odict_repr(). The order is that of the dict, which only move_to_end() makes another.
 */
void value_write_ordered_dict(struct values *values, remote_addr object, const struct object_type *type)
{
    write_named_dict(values, object, type, values->layout->repr_format >= REPR_3_12 ? &braces : &pairs);
}

/* CPython 3.13 Modules/_collectionsmodule.c: defdictobject: a dict, and behind it what makes the values. */
void value_write_default_dict(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr factory;
    value_append(&values->text, short_name(type));
    value_append(&values->text, "(");
    if (value_word(values, object + values->layout->dict.values + WORD_LEN, &factory) && factory != 0)
        value_write(values, factory);
    else
        value_append(&values->text, "None");
    value_append(&values->text, ", ");
    write_dict(values, object, &braces, false);
    value_append(&values->text, ")");
}

/* To 2.7, what was taken out of a set leaves this behind. CPython 2.7 Objects/setobject.c: dummy. */
static bool is_dummy_2(const struct values *values, remote_addr key)
{
    return values->layout->container_format == CONTAINERS_2 &&
           text_equals(values->layout, values->memory, key, "<dummy key>");
}

/* Writes the keys in a set's table. CPython Include/cpython/setobject.h: setentry; what was taken out has a hash of -1.
 */
static void write_keys(struct values *values, remote_addr table, uint64_t mask)
{
    uint64_t words[ITEM_STEP * SET_WORDS], count = mask < SET_LIMIT ? mask + 1 : SET_LIMIT;
    uint32_t key = values->layout->set.key / WORD_LEN;
    bool is_first = true, is_broken = false;
    for (uint64_t i = 0; i < count && !values->text.is_full; i++) {
        const uint64_t *entry = words + i % ITEM_STEP * SET_WORDS;
        uint64_t left = count - i, step = left < ITEM_STEP ? left : ITEM_STEP;
        if (i % ITEM_STEP == 0) {
            is_broken = memory_read(values->memory, table + i * SET_WORDS * WORD_LEN, words,
                                    step * SET_WORDS * WORD_LEN) != MEMORY_OK;
            if (is_broken || value_is_over(values, 1))
                break;
        }
        bool is_removed = key == 0 ? entry[1] == UINT64_MAX : is_dummy_2(values, entry[key]);
        if (entry[key] == 0 || is_removed)
            continue;
        value_append(&values->text, is_first ? "" : ", ");
        value_write(values, entry[key]);
        is_first = false;
    }
    write_missing(values, is_broken, mask >= SET_LIMIT, is_first);
}

/* CPython 3.13 Objects/setobject.c: set_repr_lock_held(); 2.7 puts a list into the parentheses. */
void value_write_set(struct values *values, remote_addr object, const struct object_type *type)
{
    const struct layout *layout = values->layout;
    uint64_t used, mask;
    remote_addr table;
    if (!value_word(values, object + layout->set.mask - WORD_LEN, &used) ||
        !value_word(values, object + layout->set.mask, &mask) ||
        !value_word(values, object + layout->set.table, &table)) {
        value_write_unreadable(values);
        return;
    }
    bool is_of_2 = layout->container_format == CONTAINERS_2;
    bool has_name = is_of_2 || used == 0 || !type->is_exact || type->kind == VALUE_FROZEN_SET;
    if (has_name)
        value_format(&values->text, "%.*s(", TYPE_NAME_LEN, type->name);
    if (!value_enter(values, object, has_name ? "...)" : "{...}"))
        return;
    if (used > 0 || is_of_2) {
        value_append(&values->text, is_of_2 ? "[" : "{");
        write_keys(values, table, mask);
        value_append(&values->text, is_of_2 ? "]" : "}");
    }
    value_append(&values->text, has_name ? ")" : "");
    value_leave(values);
}

/* A deque as CPython 3.6 to 3.15 Modules/_collectionsmodule.c: dequeobject and BLOCK have it. */
struct deque {
    uint64_t count, left_block, right_block, left_index;
};

static void write_blocks(struct values *values, const struct deque *deque)
{
    uint64_t done = 0, index = deque->left_index;
    remote_addr block = deque->left_block;
    for (int i = 0; i < DEQUE_BLOCK_LIMIT && done < deque->count && !values->text.is_full; i++) {
        uint64_t left = deque->count - done, there = DEQUE_BLOCK_ITEMS - index;
        uint64_t count = left < there ? left : there;
        value_append(&values->text, done > 0 ? ", " : "");
        write_items(values, block + (1 + index) * WORD_LEN, count);
        done += count;
        index = 0;
        if (!value_word(values, block + (remote_addr)(1 + DEQUE_BLOCK_ITEMS) * WORD_LEN, &block))
            break;
    }
    write_missing(values, false, done < deque->count && !values->text.is_full, done == 0);
}

void value_write_deque(struct values *values, remote_addr object, const struct object_type *type)
{
    struct deque deque;
    enum { MAX_LEN = 6 }; /* words behind the head before maxlen */
    int64_t max_len;
    (void)type;
    if (memory_read(values->memory, value_body(values, object), &deque, sizeof(deque)) != MEMORY_OK ||
        !value_word(values, value_body(values, object) + (remote_addr)MAX_LEN * WORD_LEN, (uint64_t *)&max_len) ||
        deque.left_index >= DEQUE_BLOCK_ITEMS) {
        value_write_unreadable(values);
        return;
    }
    if (!value_enter(values, object, "[...]"))
        return;
    value_append(&values->text, "deque([");
    write_blocks(values, &deque);
    value_append(&values->text, "]");
    if (max_len >= 0)
        value_format(&values->text, ", maxlen=%" PRId64, max_len);
    value_append(&values->text, ")");
    value_leave(values);
}

/* Whether an object is the int 1. */
static bool is_one(struct values *values, remote_addr object)
{
    uint64_t word;
    uint32_t digit;
    const struct layout *layout = values->layout;
    bool has_tag = layout->integer.tag != LAYOUT_NONE;
    return value_word(values, object + (has_tag ? layout->integer.tag : layout->object.var_size), &word) &&
           (has_tag ? word >> 3 == 1 && (word & 3) == 0 : word == 1) &&
           memory_read_u32(values->memory, object + layout->integer.digits, &digit) == MEMORY_OK && digit == 1;
}

/* CPython 3.13 Objects/rangeobject.c: rangeobject: start, stop, step. */
void value_write_range(struct values *values, remote_addr object, const struct object_type *type)
{
    remote_addr words[3];
    (void)type;
    if (memory_read(values->memory, value_body(values, object), words, sizeof(words)) != MEMORY_OK) {
        value_write_unreadable(values);
        return;
    }
    value_append(&values->text, "range(");
    write_items(values, value_body(values, object), is_one(values, words[2]) ? 2 : 3);
    value_append(&values->text, ")");
}

/* CPython 2.7 Objects/rangeobject.c: rangeobject: start, step and number, and range_repr(). */
void value_write_range_2(struct values *values, remote_addr object, const struct object_type *type)
{
    uint64_t words[3];
    (void)type;
    if (memory_read(values->memory, value_body(values, object), words, sizeof(words)) != MEMORY_OK) {
        value_write_unreadable(values);
        return;
    }
    int64_t start = (int64_t)words[0], step = (int64_t)words[1], stop = (int64_t)(words[0] + words[1] * words[2]);
    if (start == 0 && step == 1)
        value_format(&values->text, "xrange(%" PRId64 ")", stop);
    else if (step == 1)
        value_format(&values->text, "xrange(%" PRId64 ", %" PRId64 ")", start, stop);
    else
        value_format(&values->text, "xrange(%" PRId64 ", %" PRId64 ", %" PRId64 ")", start, stop, step);
}

/* CPython Include/sliceobject.h: start, stop, step. */
void value_write_slice(struct values *values, remote_addr object, const struct object_type *type)
{
    (void)type;
    value_append(&values->text, "slice(");
    write_items(values, value_body(values, object), 3);
    value_append(&values->text, ")");
}
