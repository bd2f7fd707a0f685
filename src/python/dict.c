/* SPDX-License-Identifier: MIT */
#include "dict.h"

#include "layout.h"
#include "read.h"
#include "text.h"

enum {
    ENTRY_LIMIT = 1 << 16, /* entries looked at in one dict */
    ENTRY_STEP = 64,       /* entries read at a time */
    ENTRY_WORDS_LIMIT = 3,
    DIGIT_BITS = 30, /* CPython Include/cpython/longintrepr.h, on 64-bit machines */
    /* CPython 2.7 Include/object.h: bit of tp_flags. */
    FLAG_INT = 1 << 23,
    /* CPython 3.11 Include/object.h: bits of tp_flags. */
    FLAG_INLINE_VALUES = 1 << 2,
    FLAG_MANAGED_DICT = 1 << 4,
    /* CPython 3.11 Include/internal/pycore_dict.h: DictKeysKind. */
    KIND_GENERAL = 0,
};

/* The entries of a keys object, and where the values are when they are not among them. */
struct entries {
    remote_addr first;
    uint64_t count;
    uint32_t words;     /* of an entry: hash, key and value, or key and value */
    remote_addr values; /* of a split table; 0 when the values are in the entries */
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
                      struct entries *ret)
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
    *ret = (struct entries){
        .first = keys + layout->dict.indices + index_bytes,
        .count = field_u64(head, layout->dict.entry_count),
        .words = words,
        .values = values,
    };
    if (ret->count > ENTRY_LIMIT)
        ret->count = ENTRY_LIMIT;
    return true;
}

/* CPython 2.7 Include/dictobject.h: a dict is a table of PyDictEntry, some of them empty. */
static bool open_dict_2(const struct layout *layout, struct memory *memory, remote_addr dict, struct entries *ret)
{
    unsigned char head[LAYOUT_DICT_LEN];
    if (memory_read(memory, dict, head, layout->dict.table + sizeof(uint64_t)) != MEMORY_OK)
        return false;
    uint64_t mask = field_u64(head, layout->dict.mask);
    *ret = (struct entries){
        .first = field_u64(head, layout->dict.table),
        .count = mask < ENTRY_LIMIT ? mask + 1 : ENTRY_LIMIT,
        .words = 3,
    };
    return true;
}

static bool open_dict(const struct layout *layout, struct memory *memory, remote_addr dict, struct entries *ret)
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

typedef bool (*key_equal)(const struct layout *layout, struct memory *memory, remote_addr key, const void *wanted);

/* Finds the entry whose key is the wanted one, and its value. */
static bool find_entry(const struct layout *layout, struct memory *memory, const struct entries *entries,
                       key_equal equal, const void *wanted, remote_addr *ret)
{
    uint64_t words[ENTRY_STEP * ENTRY_WORDS_LIMIT];
    for (uint64_t first = 0; first < entries->count; first += ENTRY_STEP) {
        uint64_t count = entries->count - first < ENTRY_STEP ? entries->count - first : ENTRY_STEP;
        size_t entry_len = entries->words * sizeof(uint64_t);
        if (memory_read(memory, entries->first + first * entry_len, words, count * entry_len) != MEMORY_OK)
            return false;
        for (uint64_t i = 0; i < count; i++) {
            const uint64_t *end = words + (i + 1) * entries->words;
            remote_addr key = end[-2], value = end[-1];
            if (key == 0 || !equal(layout, memory, key, wanted))
                continue;
            if (entries->values != 0 &&
                memory_read_u64(memory, entries->values + (first + i) * sizeof(uint64_t), &value) != MEMORY_OK)
                return false;
            *ret = value;
            return value != 0;
        }
    }
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
                    remote_addr *ret)
{
    struct entries entries;
    return open_dict(layout, memory, dict, &entries) && find_entry(layout, memory, &entries, is_text, key, ret);
}

bool dict_find_number(const struct layout *layout, struct memory *memory, remote_addr dict, uint64_t key,
                      remote_addr *ret)
{
    struct entries entries;
    return open_dict(layout, memory, dict, &entries) && find_entry(layout, memory, &entries, is_number, &key, ret);
}

/* Where the attributes of an instance are: a dict, or values whose names the class knows. One of them is 0. */
struct attributes {
    remote_addr dict;
    remote_addr values;
};

static bool locate_attributes(const struct layout *layout, struct memory *memory, remote_addr object, remote_addr type,
                              struct attributes *ret)
{
    uint64_t flags, dict_offset, basic_size, words[2];
    struct attributes attributes = {0};
    if (memory_read_u64(memory, type + layout->type.flags, &flags) != MEMORY_OK ||
        memory_read_u64(memory, type + layout->type.dict_offset, &dict_offset) != MEMORY_OK ||
        memory_read_u64(memory, type + layout->type.basic_size, &basic_size) != MEMORY_OK)
        return false;
    if (layout->attribute_format == ATTRIBUTES_DICT || !(flags & FLAG_MANAGED_DICT)) {
        *ret = attributes;
        return (int64_t)dict_offset > 0 && memory_read_u64(memory, object + dict_offset, &ret->dict) == MEMORY_OK;
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

bool instance_find_attribute(const struct layout *layout, struct memory *memory, remote_addr object, const char *name,
                             remote_addr *ret)
{
    remote_addr type, keys;
    struct attributes attributes;
    struct entries entries;
    if (memory_read_u64(memory, object + layout->object.type, &type) != MEMORY_OK ||
        !locate_attributes(layout, memory, object, type, &attributes))
        return false;
    if (attributes.values == 0)
        return attributes.dict != 0 && dict_find_text(layout, memory, attributes.dict, name, ret);
    return memory_read_u64(memory, type + layout->type.cached_keys, &keys) == MEMORY_OK &&
           open_keys(layout, memory, keys, attributes.values, &entries) &&
           find_entry(layout, memory, &entries, is_text, name, ret);
}
