/* SPDX-License-Identifier: MIT */
#include "debug_offsets.h"

#include "base/cleanup.h"
#include "layout.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum {
    /* Positions in the table, the same in all versions that have one. */
    POSITION_VERSION = 8,
    POSITION_FREE_THREADED = 16,
    HEAD_LEN = 24,
    TABLE_LEN_LIMIT = 1024,
    NOT_THERE = 0, /* where the cookie stands, no field is */
};

static const char cookie[8] = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};

/* The shapes of the table. A shape is kept from a minor version's last pre-releases on. */
enum shape {
    SHAPE_3_13,
    SHAPE_3_14,
    SHAPE_3_15,
    SHAPE_COUNT,
};

/* sizeof(_Py_DebugOffsets) */
static const uint16_t table_lens[SHAPE_COUNT] = {584, 760, 888};

/* Which word of the table says which field of a layout, by shape. */
static const struct {
    uint16_t field;
    uint16_t positions[SHAPE_COUNT];
} words[] = {
    {offsetof(struct layout, runtime.interpreters_head), {40, 40, 40}},
    {offsetof(struct layout, interpreter.id), {56, 56, 56}},
    {offsetof(struct layout, interpreter.next), {64, 64, 64}},
    {offsetof(struct layout, interpreter.threads_head), {72, 72, 72}},
    {offsetof(struct layout, interpreter.modules), {88, 96, 96}},
    {offsetof(struct layout, interpreter.sysdict), {96, 104, 104}},
    {offsetof(struct layout, interpreter.builtins), {104, 112, 112}},
    {offsetof(struct layout, interpreter.gil_pointer), {112, 120, 120}},
    {offsetof(struct layout, thread.next), {168, 192, 192}},
    {offsetof(struct layout, thread.interpreter), {176, 200, 200}},
    {offsetof(struct layout, thread.frame), {184, 208, 208}},
    {offsetof(struct layout, thread.id), {192, 216, 240}},
    {offsetof(struct layout, thread.native_id), {200, 224, 248}},
    {offsetof(struct layout, thread.stack_chunk), {208, 232, 256}},
    {offsetof(struct layout, frame.previous), {232, 256, 320}},
    {offsetof(struct layout, frame.code), {240, 264, 328}},
    {offsetof(struct layout, frame.instruction), {248, 272, 336}},
    {offsetof(struct layout, frame.owner), {264, 288, 352}},
    {offsetof(struct layout, code.filename), {280, 320, 384}},
    {offsetof(struct layout, code.name), {288, 328, 392}},
    {offsetof(struct layout, code.qualname), {296, 336, 400}},
    {offsetof(struct layout, code.line_table), {304, 344, 408}},
    {offsetof(struct layout, code.first_line), {312, 352, 416}},
    {offsetof(struct layout, code.instructions), {344, 384, 448}},
    {offsetof(struct layout, locals.first), {256, 280, 344}},
    {offsetof(struct layout, locals.arg_count), {320, 360, 424}},
    {offsetof(struct layout, locals.names), {328, 368, 432}},
    {offsetof(struct layout, locals.kinds), {336, 376, 440}},
    {offsetof(struct layout, object.type), {360, 408, 472}},
    {offsetof(struct layout, type.name), {376, 424, 488}},
    {offsetof(struct layout, type.repr), {384, 432, 496}},
    {offsetof(struct layout, type.flags), {392, 440, 504}},
    {offsetof(struct layout, type.basic_size), {NOT_THERE, NOT_THERE, 512}},
    {offsetof(struct layout, type.dict_offset), {NOT_THERE, NOT_THERE, 520}},
    {offsetof(struct layout, type.cached_keys), {NOT_THERE, NOT_THERE, 536}},
    {offsetof(struct layout, tuple.items), {408, 456, 552}},
    {offsetof(struct layout, list.items), {432, 480, 576}},
    {offsetof(struct layout, set.mask), {NOT_THERE, 520, 616}},
    {offsetof(struct layout, set.table), {NOT_THERE, 512, 608}},
    {offsetof(struct layout, dict.keys), {456, 536, 632}},
    {offsetof(struct layout, dict.values), {464, 544, 640}},
    {offsetof(struct layout, integer.tag), {496, 576, 672}},
    {offsetof(struct layout, integer.digits), {504, 584, 680}},
    {offsetof(struct layout, bytes.length), {520, 600, 696}},
    {offsetof(struct layout, bytes.data), {528, 608, 704}},
    {offsetof(struct layout, text.state), {544, 624, 720}},
    {offsetof(struct layout, text.length), {552, 632, 728}},
    {offsetof(struct layout, text.ascii_data), {560, 640, 736}},
    {offsetof(struct layout, text.compact_data), {NOT_THERE, NOT_THERE, 744}},
};

/* The words that hold 0 in builds with a GIL, where these fields are not there. */
static const struct {
    uint16_t field;
    uint16_t positions[SHAPE_COUNT];
} free_threaded_words[] = {
    {offsetof(struct layout, frame.tlbc_index), {NOT_THERE, 304, 368}},
    {offsetof(struct layout, code.tlbc), {NOT_THERE, 392, 456}},
};

/* Words that are no fields of ours. */
static const uint16_t position_of_object_size[SHAPE_COUNT] = {352, 400, 464};
static const uint16_t position_of_gil[SHAPE_COUNT] = {120, 128, 128}; /* in the interpreter: own storage, then fields */
static const uint16_t position_of_gc[SHAPE_COUNT] = {80, 88, 88};     /* in the interpreter; fields count from there */
static const uint16_t position_of_collecting[SHAPE_COUNT] = {576, 656, 760};
static const uint16_t position_of_collecting_frame[SHAPE_COUNT] = {NOT_THERE, NOT_THERE, 768};

bool debug_offsets_read(struct memory *memory, remote_addr runtime, struct debug_offsets *ret)
{
    unsigned char head[HEAD_LEN];
    uint64_t version, free_threaded;
    if (memory_read(memory, runtime, head, sizeof(head)) != MEMORY_OK || memcmp(head, cookie, sizeof(cookie)) != 0)
        return false;
    memcpy(&version, head + POSITION_VERSION, sizeof(version));
    memcpy(&free_threaded, head + POSITION_FREE_THREADED, sizeof(free_threaded));
    if (version > UINT32_MAX)
        return false;
    *ret = (struct debug_offsets){.version = (uint32_t)version, .is_free_threaded = free_threaded != 0};
    return true;
}

static uint64_t word_at(const unsigned char *table, uint16_t position)
{
    uint64_t word;
    memcpy(&word, table + position, sizeof(word));
    return word;
}

static struct error *set_field(struct layout *layout, uint16_t field, const unsigned char *table, uint16_t position)
{
    uint64_t value = word_at(table, position);
    if (value >= LAYOUT_NONE)
        return error_create(ERROR_BAD_DATA, "the interpreter's debug offset at %u is out of range: %" PRIu64, position,
                            value);
    uint16_t offset = (uint16_t)value;
    memcpy((char *)layout + field, &offset, sizeof(offset));
    return NULL;
}

static struct error *set_fields(struct layout *layout, const unsigned char *table, enum shape shape)
{
    struct error *error = NULL;
    for (size_t i = 0; i < array_size(words) && !error; i++) {
        if (words[i].positions[shape] != NOT_THERE)
            error = set_field(layout, words[i].field, table, words[i].positions[shape]);
    }
    for (size_t i = 0; layout->is_free_threaded && i < array_size(free_threaded_words) && !error; i++) {
        if (free_threaded_words[i].positions[shape] != NOT_THERE)
            error = set_field(layout, free_threaded_words[i].field, table, free_threaded_words[i].positions[shape]);
    }
    return error;
}

/* The table tells where an interpreter's own GIL is, and its fields; ours count from the GIL's start. */
static bool set_gil_fields(struct layout *layout, const unsigned char *table, enum shape shape)
{
    uint16_t position = position_of_gil[shape];
    uint64_t gil = word_at(table, position), enabled = word_at(table, position + 8);
    uint64_t locked = word_at(table, position + 16) - gil, last_holder = word_at(table, position + 24) - gil;
    /* In builds with a GIL there is no such field, and the word is 0; in others it is the first one of the GIL's. */
    enabled = enabled >= gil ? enabled - gil : 0;
    bool is_in_order = locked <= LAYOUT_GIL_LEN - 2 * sizeof(uint64_t) && last_holder < locked &&
                       last_holder + sizeof(uint64_t) <= locked;
    if (layout->is_free_threaded)
        is_in_order = is_in_order && enabled < last_holder && enabled + sizeof(uint32_t) <= last_holder;
    if (!is_in_order)
        return false;
    if (layout->is_free_threaded)
        layout->gil.enabled = (uint16_t)enabled;
    layout->gil.locked = (uint16_t)locked;
    layout->gil.last_holder = (uint16_t)last_holder;
    layout->gil.switch_number = (uint16_t)(locked + sizeof(uint64_t));
    layout->gil.condition = layout->gil.switch_number + (uint16_t)sizeof(uint64_t);
    return true;
}

/* Returns false when a field is out of range. */
static bool set_gc_field(uint16_t *field, const unsigned char *table, uint64_t gc, uint16_t position)
{
    if (position == NOT_THERE)
        return true;
    uint64_t offset = word_at(table, position);
    if (gc >= LAYOUT_NONE || offset >= LAYOUT_NONE - gc)
        return false;
    *field = (uint16_t)(gc + offset);
    return true;
}

static bool set_gc_fields(struct layout *layout, const unsigned char *table, enum shape shape)
{
    uint64_t gc = word_at(table, position_of_gc[shape]);
    return set_gc_field(&layout->interpreter.collecting, table, gc, position_of_collecting[shape]) &&
           set_gc_field(&layout->interpreter.collecting_frame, table, gc, position_of_collecting_frame[shape]);
}

static bool are_thread_fields_inside(const struct layout *layout)
{
    const uint16_t word = sizeof(uint64_t);
    return layout->thread.next + word <= LAYOUT_THREAD_LEN && layout->thread.interpreter + word <= LAYOUT_THREAD_LEN &&
           layout->thread.id + word <= LAYOUT_THREAD_LEN && layout->thread.native_id + word <= LAYOUT_THREAD_LEN;
}

static bool are_object_fields_inside(const struct layout *layout)
{
    const uint16_t word = sizeof(uint64_t);
    return layout->object.type + word <= layout->code.size && layout->text.ascii_data <= LAYOUT_TEXT_LEN &&
           layout->text.length + word <= layout->text.ascii_data &&
           layout->text.state + sizeof(uint32_t) <= layout->text.ascii_data &&
           layout->dict.keys + word <= LAYOUT_DICT_LEN && layout->dict.keys < layout->dict.values &&
           layout->dict.values + word <= LAYOUT_DICT_LEN;
}

static bool are_copies_inside(const struct layout *layout)
{
    if (layout->code.tlbc == LAYOUT_NONE)
        return true;
    return layout->code.tlbc + sizeof(uint64_t) <= layout->code.size &&
           layout->frame.tlbc_index + sizeof(uint32_t) <= layout->frame.size;
}

/* What is read of a struct must hold every field that is looked at in it. */
static bool is_inside_what_is_read(const struct layout *layout)
{
    const uint16_t word = sizeof(uint64_t);
    return are_thread_fields_inside(layout) && are_object_fields_inside(layout) && are_copies_inside(layout) &&
           layout->frame.previous + word <= layout->frame.size && layout->frame.code + word <= layout->frame.size &&
           layout->frame.instruction + word <= layout->frame.size && layout->frame.owner < layout->frame.size &&
           layout->code.filename + word <= layout->code.size && layout->code.name + word <= layout->code.size &&
           layout->code.qualname + word <= layout->code.size && layout->code.line_table + word <= layout->code.size &&
           layout->code.first_line + sizeof(uint32_t) <= layout->code.size;
}

/* What holds in every version so far, and so tells a table of another shape. */
static bool is_plausible(const struct layout *layout, const unsigned char *table, enum shape shape)
{
    uint64_t size = word_at(table, position_of_object_size[shape]);
    uint64_t expected = layout->is_free_threaded ? 32 : 16;
    return size == expected && layout->object.type == size - sizeof(uint64_t) && layout->bytes.length == size &&
           layout->text.length == size && layout->integer.tag == size;
}

static enum shape shape_of(const struct layout *layout)
{
    switch (layout->version & 0xff) {
    case 13:
        return SHAPE_3_13;
    case 14:
        return SHAPE_3_14;
    default:
        return SHAPE_3_15;
    }
}

struct error *debug_offsets_apply(struct layout *layout, struct memory *memory, remote_addr runtime)
{
    unsigned char table[TABLE_LEN_LIMIT];
    enum shape shape = shape_of(layout);
    if (memory_read(memory, runtime, table, table_lens[shape]) != MEMORY_OK)
        return error_create(ERROR_BAD_DATA, "cannot read the interpreter's debug offsets");
    struct error *error = set_fields(layout, table, shape);
    if (error)
        return error;
    if (!set_gil_fields(layout, table, shape) || !set_gc_fields(layout, table, shape) ||
        !is_inside_what_is_read(layout) || !is_plausible(layout, table, shape))
        return error_create(ERROR_BAD_DATA, "the interpreter's debug offsets contradict themselves");
    return NULL;
}
