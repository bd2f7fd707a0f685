/* SPDX-License-Identifier: MIT */
#include "code_cache.h"

#include "base/cleanup.h"
#include "layout.h"
#include "python/runtime.h"
#include "read.h"
#include "text.h"

enum {
    CODE_UNIT_LEN = 2,                   /* bytes */
    FINGERPRINT_LEN = 256,               /* bytes of a line table that are compared in each sample */
    TEXT_LEN = 128,                      /* bytes that most names have, with what stands before them */
    KEPT_LIMIT = 96 * 1024 * 1024,       /* bytes of entries, beyond which no more are decoded in one sample, */
    STACK_KEPT_LIMIT = 16 * 1024 * 1024, /* or for one stack, so that something is left for the others, */
    OLD_KEPT_LIMIT = 64 * 1024 * 1024,   /* and beyond which the next sample begins anew; */
    UNUSED_KEPT_LIMIT = 4 * 1024 * 1024, /* or beyond this, when the last ones had no use for most of it: */
    RECENT_SAMPLES = 32,                 /* what one had use for counts by so much less with each after it */
};

void code_cache_init(struct code_cache *cache, const struct python_runtime *runtime)
{
    *cache = (struct code_cache){.runtime = runtime};
}

/* Bytes that an entry keeps. */
static size_t kept_by(const struct code_entry *entry)
{
    size_t text_len = entry->text ? entry->code.filename_len + entry->code.name_len + 2 : 0;
    return sizeof(*entry) + text_len + entry->table_len + entry->lines.capacity * sizeof(*entry->lines.ranges);
}

static void deinit_entry(struct code_entry *entry)
{
    free(entry->text);
    free(entry->table);
    lines_deinit(&entry->lines);
}

static void forget_all(struct code_cache *cache)
{
    for (uint32_t i = 0; i < cache->count; i++)
        deinit_entry(&cache->entries[i]);
    cache->count = 0;
    cache->kept = 0;
    table_clear(&cache->by_address);
}

void code_cache_deinit(struct code_cache *cache)
{
    forget_all(cache);
    free(cache->entries);
    table_deinit(&cache->by_address);
    buffer_deinit(&cache->scratch);
    *cache = (struct code_cache){0};
}

void code_cache_begin_sample(struct code_cache *cache)
{
    /* One sample alone says little: it may have begun anew before it got to the stacks, or be about one thread. */
    size_t recent_kept = cache->recent_kept - cache->recent_kept / RECENT_SAMPLES;
    cache->recent_kept = cache->sample_kept > recent_kept ? cache->sample_kept : recent_kept;
    bool is_unused = cache->kept > UNUSED_KEPT_LIMIT && cache->kept / 2 > cache->recent_kept;
    if (is_unused || cache->kept > OLD_KEPT_LIMIT)
        forget_all(cache);
    cache->sample_kept = 0;
    cache->sample++;
}

void code_cache_begin_stack(struct code_cache *cache)
{
    cache->stack++;
    cache->stack_kept = 0;
}

/* Whether there is room for what one more entry keeps. */
static bool has_room(const struct code_cache *cache)
{
    return cache->kept < KEPT_LIMIT && cache->stack_kept < STACK_KEPT_LIMIT;
}

/*
 * Notes that an entry is part of the current stack. Those of old are counted as well: so what there is no room for is
 * the same in each sample, and the others are decoded once.
 */
static void count_for_stack(struct code_cache *cache, struct code_entry *entry)
{
    if (entry->stack == cache->stack)
        return;
    entry->stack = cache->stack;
    cache->stack_kept += kept_by(entry);
}

/* The hash that a str keeps of itself. */
static bool mix_text_hash(const struct layout *layout, struct memory *memory, remote_addr text, uint64_t *hash)
{
    uint64_t own;
    if (memory_read_u64(memory, text + layout->text.hash, &own) != MEMORY_OK)
        return false;
    *hash = hash_pair(*hash, own);
    return true;
}

/* The name that is shown. From 3.11 on it is not the plain one, and has no hash of its own. */
static remote_addr shown_name(const struct layout *layout, const unsigned char *head)
{
    return field_u64(head, layout->code.qualname != LAYOUT_NONE ? layout->code.qualname : layout->code.name);
}

/*
 * Code objects that are made and dropped in turn take each other's memory, names and tables and all. So where they have
 * no number of their own, it is made from what is cached of them: the names' hashes, and the line table's length and
 * start.
 */
static bool read_fingerprint(const struct layout *layout, struct memory *memory, struct code_identity *identity)
{
    unsigned char table[FINGERPRINT_LEN];
    uint64_t len, hash = 0;
    if (!mix_text_hash(layout, memory, identity->name, &hash) ||
        !mix_text_hash(layout, memory, identity->filename, &hash) ||
        memory_read_u64(memory, identity->line_table + layout->bytes.length, &len) != MEMORY_OK)
        return false;
    size_t used = len < sizeof(table) ? (size_t)len : sizeof(table);
    if (memory_read(memory, identity->line_table + layout->bytes.data, table, used) != MEMORY_OK)
        return false;
    identity->version = hash_pair(hash_pair(hash, len), hash_bytes(table, used));
    return true;
}

/* Reads what tells this code object from others. */
static enum python_status read_identity(const struct code_cache *cache, struct memory *memory, remote_addr address,
                                        unsigned char head[LAYOUT_CODE_LEN], struct code_identity *ret)
{
    const struct layout *layout = cache->runtime->layout;
    if (layout->code.size > LAYOUT_CODE_LEN)
        return PYTHON_BAD_CODE;
    enum memory_status status = memory_read(memory, address, head, layout->code.size);
    if (status != MEMORY_OK)
        return status == MEMORY_FAULT ? PYTHON_BAD_CODE : PYTHON_GONE;
    remote_addr type = field_u64(head, layout->object.type);
    if (cache->runtime->code_type != 0 && type != cache->runtime->code_type)
        return PYTHON_BAD_CODE;
    *ret = (struct code_identity){
        .filename = field_u64(head, layout->code.filename),
        .name = field_u64(head, layout->code.name),
        .line_table = field_u64(head, layout->code.line_table),
        .first_line = field_u32(head, layout->code.first_line),
    };
    if (layout->code.version != LAYOUT_NONE)
        ret->version = field_u32(head, layout->code.version);
    if (ret->version != 0)
        return PYTHON_OK;
    return read_fingerprint(layout, memory, ret) ? PYTHON_OK : PYTHON_BAD_CODE;
}

static bool is_same(const struct code_identity *a, const struct code_identity *b)
{
    return a->filename == b->filename && a->name == b->name && a->line_table == b->line_table &&
           a->version == b->version && a->first_line == b->first_line;
}

/* Reads filename and name into one owned text. */
static enum python_status read_texts(struct code_cache *cache, struct memory *memory, remote_addr name,
                                     struct code_entry *entry)
{
    const struct layout *layout = cache->runtime->layout;
    struct buffer *text = &cache->scratch;
    buffer_clear(text);
    enum python_status status = text_read(layout, memory, entry->identity.filename, text);
    if (status != PYTHON_OK)
        return status;
    size_t filename_len = text->len;
    buffer_append_char(text, '\0');
    status = text_read(layout, memory, name, text);
    if (status != PYTHON_OK)
        return status;
    entry->text = malloc(text->len + 1);
    if (!entry->text)
        return PYTHON_NO_MEMORY;
    memcpy(entry->text, text->data, text->len + 1);
    entry->code.filename = entry->text;
    entry->code.filename_len = filename_len;
    entry->code.name = entry->text + filename_len + 1;
    entry->code.name_len = text->len - filename_len - 1;
    return PYTHON_OK;
}

static bool keep_table(const struct buffer *table, struct code_entry *entry)
{
    entry->table = malloc(table->len);
    if (!entry->table)
        return false;
    memcpy(entry->table, table->data, table->len);
    entry->table_len = table->len;
    return true;
}

static enum python_status read_lines(struct code_cache *cache, struct memory *memory, struct code_entry *entry)
{
    const struct layout *layout = cache->runtime->layout;
    struct buffer *table = &cache->scratch;
    buffer_clear(table);
    enum python_status status = bytes_read(layout, memory, entry->identity.line_table, table);
    if (status != PYTHON_OK)
        return status;
    bool has_memory = lines_init(&entry->lines, layout->line_format, (const unsigned char *)buffer_text(table),
                                 table->len, entry->code.first_line);
    if (has_memory && cache->keeps_tables && table->len > 0)
        has_memory = keep_table(table, entry);
    return has_memory ? PYTHON_OK : PYTHON_NO_MEMORY;
}

/* Fills *ret from the target; what it holds is the caller's on success only. */
static enum python_status decode(struct code_cache *cache, struct memory *memory, remote_addr address,
                                 const unsigned char *head, const struct code_identity *identity,
                                 struct code_entry *ret)
{
    const struct layout *layout = cache->runtime->layout;
    struct code_entry entry = {.address = address, .identity = *identity};
    entry.code.first_line = (int32_t)identity->first_line;
    entry.code.serial = ++cache->last_serial;
    if (layout->code.first_traceable != LAYOUT_NONE)
        entry.start = (int64_t)(int32_t)field_u32(head, layout->code.first_traceable) * CODE_UNIT_LEN;
    enum python_status status = read_texts(cache, memory, shown_name(layout, head), &entry);
    if (status == PYTHON_OK)
        status = read_lines(cache, memory, &entry);
    if (status != PYTHON_OK) {
        deinit_entry(&entry);
        cache->scratch.failed = false;
        return status == PYTHON_BAD_MEMORY ? PYTHON_BAD_CODE : status;
    }
    *ret = entry;
    return PYTHON_OK;
}

static bool has_address(const void *context, uint32_t index, const void *key)
{
    return ((const struct code_cache *)context)->entries[index].address == *(const remote_addr *)key;
}

/* Makes an entry that was never decoded. */
static enum python_status add_entry(struct code_cache *cache, remote_addr address, uint32_t *ret_index)
{
    if (!array_grow(&cache->entries, cache->count, &cache->capacity, sizeof(*cache->entries)) ||
        !table_insert(&cache->by_address, hash_number(address), cache->count))
        return PYTHON_NO_MEMORY;
    cache->entries[cache->count] = (struct code_entry){.address = address};
    cache->kept += kept_by(&cache->entries[cache->count]);
    *ret_index = cache->count++;
    return PYTHON_OK;
}

enum python_status code_cache_find(struct code_cache *cache, struct memory *memory, remote_addr address,
                                   uint32_t *ret_index)
{
    uint32_t index = table_find(&cache->by_address, hash_number(address), has_address, cache, &address);
    if (index != TABLE_NONE && cache->entries[index].checked_sample == cache->sample) {
        count_for_stack(cache, &cache->entries[index]);
        *ret_index = index;
        return PYTHON_OK;
    }
    unsigned char head[LAYOUT_CODE_LEN];
    struct code_identity identity;
    enum python_status status = read_identity(cache, memory, address, head, &identity);
    if (status == PYTHON_OK && index == TABLE_NONE)
        status = add_entry(cache, address, &index);
    if (status != PYTHON_OK)
        return status;
    struct code_entry *entry = &cache->entries[index];
    if (entry->checked_sample == 0 || !is_same(&entry->identity, &identity)) {
        struct code_entry decoded = {0};
        if (!has_room(cache))
            return PYTHON_BAD_CODE;
        status = decode(cache, memory, address, head, &identity, &decoded);
        if (status != PYTHON_OK)
            return status;
        cache->kept += kept_by(&decoded) - kept_by(entry);
        deinit_entry(entry);
        *entry = decoded;
    }
    count_for_stack(cache, entry);
    cache->sample_kept += kept_by(entry);
    entry->checked_sample = cache->sample;
    *ret_index = index;
    return PYTHON_OK;
}

/*
 * Adds what read_fingerprint(), and of one that is new decode(), reads besides the code object itself. Returns how many
 * parts there are then.
 */
static uint32_t add_parts(const struct code_cache *cache, remote_addr address, const unsigned char *head,
                          struct memory_range *parts, uint32_t count)
{
    const struct layout *layout = cache->runtime->layout;
    uint32_t index = table_find(&cache->by_address, hash_number(address), has_address, cache, &address);
    uint64_t version = layout->code.version != LAYOUT_NONE ? field_u32(head, layout->code.version) : 0;
    bool is_old = index != TABLE_NONE;
    if (is_old && version != 0 && cache->entries[index].identity.version == version)
        return count;
    parts[count++] = (struct memory_range){field_u64(head, layout->code.filename), TEXT_LEN};
    parts[count++] = (struct memory_range){field_u64(head, layout->code.name), TEXT_LEN};
    parts[count++] = (struct memory_range){field_u64(head, layout->code.line_table), TEXT_LEN + FINGERPRINT_LEN};
    if (!is_old)
        parts[count++] = (struct memory_range){shown_name(layout, head), TEXT_LEN};
    return count;
}

void code_cache_expect(const struct code_cache *cache, struct memory *memory, const remote_addr *addresses,
                       uint32_t count)
{
    enum { PART_LIMIT = 4 };
    const struct layout *layout = cache->runtime->layout;
    struct memory_range heads[CODE_EXPECT_LIMIT] = {0}, parts[CODE_EXPECT_LIMIT * PART_LIMIT];
    uint32_t part_count = 0;
    for (uint32_t i = 0; i < count; i++)
        heads[i] = (struct memory_range){addresses[i], layout->code.size};
    memory_expect(memory, heads, count);
    for (uint32_t i = 0; i < count; i++) {
        unsigned char head[LAYOUT_CODE_LEN];
        if (!memory_lacks(memory, &heads[i]) && heads[i].len <= sizeof(head) &&
            memory_read(memory, addresses[i], head, heads[i].len) == MEMORY_OK)
            part_count = add_parts(cache, addresses[i], head, parts, part_count);
    }
    memory_expect(memory, parts, part_count);
}
