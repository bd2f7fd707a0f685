/* SPDX-License-Identifier: MIT */
#include "dict.h"

#include "layout.h"
#include "read.h"
#include "text.h"

enum {
    ENTRY_LIMIT = 1 << 16, /* entries looked at in one dict */
    DIGIT_BITS = 30,       /* CPython Include/cpython/longintrepr.h, on 64-bit machines */
    /* CPython 2.7 Include/object.h: bit of tp_flags. */
    FLAG_INT = 1 << 23,
    FLAG_LONG = 1 << 24,
    TAG_BITS = 3, /* CPython 3.12 Include/cpython/longintrepr.h: below the number of digits in lv_tag */
    /* CPython 3.11 Include/object.h: bits of tp_flags. */
    FLAG_INLINE_VALUES = 1 << 2,
    FLAG_MANAGED_DICT = 1 << 4,
    /* CPython 3.11 Include/internal/pycore_dict.h: DictKeysKind. */
    KIND_GENERAL = 0,
};

/* To 3.10, an index has as many bytes as it needs to count to dk_size. CPython 3.8 Objects/dictobject.c: DK_IXSIZE. */
static uint64_t index_bytes_of_size(uint64_t size)
{
    if (size <= UINT8_MAX)
        return size;
    if (size <= UINT16_MAX)
        return size * 2;
    return size <= UINT32_MAX ? size * 4 : size * 8;
}

static bool open_keys(const struct layout *layout, struct memory *memory, remote_addr keys, remote_addr values,
                      struct dict_reader *ret)
{
    unsigned char head[LAYOUT_KEYS_LEN];
    if (memory_read(memory, keys, head, layout->dict.indices) != MEMORY_OK)
        return false;
    uint64_t index_bytes;
    uint32_t words = 3;
    if (layout->dict.kind != LAYOUT_NONE) {
        unsigned log2 = head[layout->dict.log2_index_bytes];
        index_bytes = log2 < 48 ? UINT64_C(1) << log2 : 0;
        words = head[layout->dict.kind] == KIND_GENERAL ? 3 : 2;
    } else {
        index_bytes = index_bytes_of_size(field_u64(head, layout->dict.size));
    }
    *ret = (struct dict_reader){
        .layout = layout,
        .memory = memory,
        .first = keys + layout->dict.indices + index_bytes,
        .count = field_u64(head, layout->dict.entry_count),
        .words = words,
        .values = values,
    };
    ret->is_cut = ret->count > ENTRY_LIMIT;
    if (ret->is_cut)
        ret->count = ENTRY_LIMIT;
    return true;
}

/* CPython 2.7 Include/dictobject.h: a dict is a table of PyDictEntry, some of them empty. */
static bool open_dict_2(const struct layout *layout, struct memory *memory, remote_addr dict, struct dict_reader *ret)
{
    unsigned char head[LAYOUT_DICT_LEN];
    if (memory_read(memory, dict, head, layout->dict.table + sizeof(uint64_t)) != MEMORY_OK)
        return false;
    uint64_t mask = field_u64(head, layout->dict.mask);
    *ret = (struct dict_reader){
        .layout = layout,
        .memory = memory,
        .first = field_u64(head, layout->dict.table),
        .count = mask < ENTRY_LIMIT ? mask + 1 : ENTRY_LIMIT,
        .words = 3,
        .is_cut = mask >= ENTRY_LIMIT,
    };
    return true;
}

static bool open_dict(const struct layout *layout, struct memory *memory, remote_addr dict, struct dict_reader *ret)
{
    unsigned char head[LAYOUT_DICT_LEN];
    if (layout->container_format == CONTAINERS_2)
        return open_dict_2(layout, memory, dict, ret);
    if (memory_read(memory, dict, head, layout->dict.values + sizeof(uint64_t)) != MEMORY_OK)
        return false;
    remote_addr values = field_u64(head, layout->dict.values);
    return open_keys(layout, memory, field_u64(head, layout->dict.keys), values ? values + layout->dict.first_value : 0,
                     ret);
}

/*
 * To 3.10 a table whose order is not that of the keys is not split. CPython 3.11 and 3.12
 * Include/internal/pycore_dict.h: _PyDictValues_AddToInsertionOrder(): the number of values, and before it which ones,
 * downwards, stand before them; 3.13 to 3.15: struct _dictvalues: how many there is room for, and there are, before
 * them, and the order behind them.
 */
static bool read_order(struct dict_reader *reader)
{
    unsigned char counts[2];
    uint16_t head = reader->layout->dict.first_value;
    if (reader->layout->attribute_format == ATTRIBUTES_DICT)
        return true;
    if (memory_read(reader->memory, reader->values - (head ? head : sizeof(counts)), counts, sizeof(counts)) !=
        MEMORY_OK)
        return false;
    uint8_t count = counts[head ? 1 : 0];
    if (count > DICT_ORDER_LIMIT)
        return false;
    reader->has_order = true;
    reader->count = count;
    if (head)
        return memory_read(reader->memory, reader->values + counts[0] * sizeof(uint64_t), reader->order, count) ==
               MEMORY_OK;
    unsigned char before[DICT_ORDER_LIMIT];
    if (memory_read(reader->memory, reader->values - sizeof(counts) - count, before, count) != MEMORY_OK)
        return false;
    for (uint8_t i = 0; i < count; i++)
        reader->order[i] = before[count - 1 - i];
    return true;
}

bool dict_begin(const struct layout *layout, struct memory *memory, remote_addr dict, struct dict_reader *ret)
{
    return open_dict(layout, memory, dict, ret) && (ret->values == 0 || read_order(ret));
}

/* An entry of the table: its key, and the value if it is there. */
static const uint64_t *read_entry(struct dict_reader *reader, uint64_t index)
{
    if (index - reader->read_first >= reader->read_count) {
        size_t entry_len = reader->words * sizeof(uint64_t);
        uint64_t count = reader->count > index ? reader->count - index : 1;
        reader->read_first = index;
        reader->read_count = count < DICT_STEP ? count : DICT_STEP;
        if (memory_read(reader->memory, reader->first + index * entry_len, reader->read,
                        reader->read_count * entry_len) != MEMORY_OK)
            return NULL;
    }
    return reader->read + (index - reader->read_first + 1) * reader->words - 2;
}

/* Goes on to the next key; *ret is the number of its entry. */
static const uint64_t *next_entry(struct dict_reader *reader, uint64_t *ret)
{
    while (reader->next < reader->count) {
        uint64_t index = reader->has_order ? reader->order[reader->next] : reader->next;
        reader->next++;
        const uint64_t *entry = read_entry(reader, index);
        reader->is_broken = !entry;
        if (!entry)
            break;
        if (entry[0] != 0) {
            *ret = index;
            return entry;
        }
    }
    reader->next = reader->count;
    return NULL;
}

/* The value of an entry; false when it cannot be read. */
static bool find_value(struct dict_reader *reader, const uint64_t *entry, uint64_t index, remote_addr *ret)
{
    *ret = entry[1];
    reader->is_broken = reader->values != 0 &&
                        memory_read_u64(reader->memory, reader->values + index * sizeof(uint64_t), ret) != MEMORY_OK;
    return !reader->is_broken;
}

bool dict_next(struct dict_reader *reader, remote_addr *ret_key, remote_addr *ret_value)
{
    uint64_t index;
    const uint64_t *entry;
    remote_addr value;
    while ((entry = next_entry(reader, &index)) && find_value(reader, entry, index, &value)) {
        if (value == 0)
            continue;
        *ret_key = entry[0];
        *ret_value = value;
        return true;
    }
    return false;
}

typedef bool (*key_equal)(const struct layout *layout, struct memory *memory, remote_addr key, const void *wanted);

static bool is_spent(const struct dict_budget *budget, const struct memory *memory)
{
    return budget->entries == 0 || memory->remote_reads - budget->start >= budget->reads;
}

/* Those that the reader has gone through, empty ones as well. */
static void spend_entries(struct dict_reader *reader, struct dict_budget *budget)
{
    uint64_t entries = reader->next - reader->spent;
    budget->entries -= entries < budget->entries ? entries : budget->entries;
    reader->spent = reader->next;
}

bool dict_budget_begin(struct dict_budget *budget, const struct memory *memory)
{
    budget->start = memory->remote_reads;
    return !is_spent(budget, memory);
}

void dict_budget_end(struct dict_budget *budget, const struct memory *memory)
{
    uint64_t reads = memory->remote_reads - budget->start;
    budget->reads -= reads < budget->reads ? reads : budget->reads;
    budget->start = memory->remote_reads;
}

/* Finds the entry whose key is the wanted one, and its value. */
static bool find_entry(struct dict_reader *reader, key_equal equal, const void *wanted, struct dict_budget *budget,
                       remote_addr *ret)
{
    uint64_t index;
    const uint64_t *entry;
    remote_addr value;
    while (!is_spent(budget, reader->memory) && (entry = next_entry(reader, &index))) {
        spend_entries(reader, budget);
        if (!equal(reader->layout, reader->memory, entry[0], wanted))
            continue;
        if (!find_value(reader, entry, index, &value) || value == 0)
            return false;
        *ret = value;
        return true;
    }
    spend_entries(reader, budget);
    return false;
}

static bool is_text(const struct layout *layout, struct memory *memory, remote_addr key, const void *wanted)
{
    return text_equals(layout, memory, key, wanted);
}

/* CPython 2.7 Include/intobject.h: an int is a C long. */
static bool read_integer_2(const struct layout *layout, struct memory *memory, remote_addr object, uint64_t *ret)
{
    remote_addr type;
    uint64_t flags;
    return memory_read_u64(memory, object + layout->object.type, &type) == MEMORY_OK &&
           memory_read_u64(memory, type + layout->type.flags, &flags) == MEMORY_OK && (flags & FLAG_INT) &&
           memory_read_u64(memory, object + layout->integer.digits, ret) == MEMORY_OK;
}

/* An int of 64 bits has at most three digits of 30 bits. */
bool integer_read(const struct layout *layout, struct memory *memory, remote_addr object, uint64_t *ret)
{
    if (layout->container_format == CONTAINERS_2)
        return read_integer_2(layout, memory, object, ret);
    uint64_t count, number = 0;
    uint32_t digits[3] = {0};
    bool has_tag = layout->integer.tag != LAYOUT_NONE;
    remote_addr size = object + (has_tag ? layout->integer.tag : layout->object.var_size);
    if (memory_read_u64(memory, size, &count) != MEMORY_OK)
        return false;
    /* CPython 3.12 Include/internal/pycore_long.h: NON_SIZE_BITS, and below them SIGN_MASK: 0 is positive. */
    if (has_tag)
        count = count & 3 ? 0 : count >> 3;
    if (count == 0 || count > 3 ||
        memory_read(memory, object + layout->integer.digits, digits, count * sizeof(uint32_t)) != MEMORY_OK)
        return false;
    if (digits[2] >> (64 - 2 * DIGIT_BITS) != 0)
        return false;
    for (uint64_t i = 0; i < count; i++)
        number |= (uint64_t)digits[i] << (i * DIGIT_BITS);
    *ret = number;
    return true;
}

static bool is_number(const struct layout *layout, struct memory *memory, remote_addr key, const void *wanted)
{
    uint64_t number;
    return integer_read(layout, memory, key, &number) && number == *(const uint64_t *)wanted;
}

bool dict_find_text(const struct layout *layout, struct memory *memory, remote_addr dict, const char *key,
                    struct dict_budget *budget, remote_addr *ret)
{
    struct dict_reader reader;
    return open_dict(layout, memory, dict, &reader) && find_entry(&reader, is_text, key, budget, ret);
}

/* Finds a text among the first entries. */
static bool find_early(struct dict_reader *reader, const char *key, remote_addr *ret)
{
    struct dict_budget budget = {DICT_EARLY_COUNT, UINT64_MAX, 0};
    return find_entry(reader, is_text, key, &budget, ret);
}

bool dict_find_early_text(const struct layout *layout, struct memory *memory, remote_addr dict, const char *key,
                          remote_addr *ret)
{
    struct dict_reader reader;
    return open_dict(layout, memory, dict, &reader) && find_early(&reader, key, ret);
}

bool dict_find_number(const struct layout *layout, struct memory *memory, remote_addr dict, uint64_t key,
                      struct dict_budget *budget, remote_addr *ret)
{
    struct dict_reader reader;
    return open_dict(layout, memory, dict, &reader) && find_entry(&reader, is_number, &key, budget, ret);
}

/* Where the attributes of an instance are: a dict, or values whose names the class knows. One of them is 0. */
struct attributes {
    remote_addr dict;
    remote_addr values;
};

/*
 * Where the dict of an object of any length is, whose offset counts from its end. CPython 3.12 Objects/object.c:
 * _PyObject_ComputedDictPointer().
 */
static bool find_end(const struct layout *layout, struct memory *memory, remote_addr object, remote_addr type,
                     uint64_t flags, remote_addr *ret)
{
    uint64_t basic_size, item_size, count;
    bool is_int = flags & FLAG_LONG && layout->integer.tag != LAYOUT_NONE;
    if (memory_read_u64(memory, type + layout->type.basic_size, &basic_size) != MEMORY_OK ||
        memory_read_u64(memory, type + layout->type.item_size, &item_size) != MEMORY_OK ||
        memory_read_u64(memory, object + layout->object.var_size, &count) != MEMORY_OK)
        return false;
    if (is_int)
        count >>= TAG_BITS;
    else if ((int64_t)count < 0)
        count = -count;
    *ret = object + ((basic_size + count * item_size + sizeof(uint64_t) - 1) & -sizeof(uint64_t));
    return true;
}

static bool locate_dict(const struct layout *layout, struct memory *memory, remote_addr object, remote_addr type,
                        uint64_t flags, remote_addr *ret)
{
    uint64_t offset;
    remote_addr start = object;
    if (memory_read_u64(memory, type + layout->type.dict_offset, &offset) != MEMORY_OK || offset == 0 ||
        ((int64_t)offset < 0 && !find_end(layout, memory, object, type, flags, &start)))
        return false;
    return memory_read_u64(memory, start + offset, ret) == MEMORY_OK;
}

static bool locate_attributes(const struct layout *layout, struct memory *memory, remote_addr object, remote_addr type,
                              struct attributes *ret)
{
    uint64_t flags, basic_size, words[2];
    struct attributes attributes = {0};
    if (memory_read_u64(memory, type + layout->type.flags, &flags) != MEMORY_OK ||
        memory_read_u64(memory, type + layout->type.basic_size, &basic_size) != MEMORY_OK)
        return false;
    if (layout->attribute_format == ATTRIBUTES_DICT || !(flags & FLAG_MANAGED_DICT)) {
        *ret = attributes;
        return locate_dict(layout, memory, object, type, flags, &ret->dict);
    }
    /* CPython 3.11 to 3.15 Include/internal/pycore_object.h: words before the object's head and its GC head. */
    remote_addr dict_word = object - layout->type.managed_dict;
    if (memory_read(memory, dict_word - sizeof(uint64_t), words, sizeof(words)) != MEMORY_OK)
        return false;
    if (layout->attribute_format == ATTRIBUTES_SPLIT_WORDS)
        attributes = (struct attributes){.values = words[0], .dict = words[1]};
    else if (layout->attribute_format == ATTRIBUTES_TAGGED_WORD && (words[1] & 1))
        attributes.values = words[1] + 1;
    else
        attributes.dict = words[1];
    if (layout->attribute_format == ATTRIBUTES_INLINE_VALUES && words[1] == 0 && (flags & FLAG_INLINE_VALUES))
        attributes.values = object + basic_size + layout->dict.first_value;
    *ret = attributes;
    return true;
}

static bool open_instance(const struct layout *layout, struct memory *memory, remote_addr object,
                          struct dict_reader *ret)
{
    remote_addr type, keys;
    struct attributes attributes;
    if (memory_read_u64(memory, object + layout->object.type, &type) != MEMORY_OK ||
        !locate_attributes(layout, memory, object, type, &attributes))
        return false;
    if (attributes.values == 0)
        return attributes.dict != 0 && open_dict(layout, memory, attributes.dict, ret);
    return memory_read_u64(memory, type + layout->type.cached_keys, &keys) == MEMORY_OK &&
           open_keys(layout, memory, keys, attributes.values, ret);
}

bool instance_begin(const struct layout *layout, struct memory *memory, remote_addr object, struct dict_reader *ret)
{
    return open_instance(layout, memory, object, ret) && (ret->values == 0 || read_order(ret));
}

bool instance_find_attribute(const struct layout *layout, struct memory *memory, remote_addr object, const char *name,
                             remote_addr *ret)
{
    struct dict_reader reader;
    return open_instance(layout, memory, object, &reader) && find_early(&reader, name, ret);
}
