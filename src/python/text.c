/* SPDX-License-Identifier: MIT */
#include "text.h"

#include "base/buffer.h"
#include "layout.h"
#include "read.h"

enum {
    /* CPython 2.7 Include/object.h: bits of tp_flags. */
    FLAG_STRING = 1 << 27,
    FLAG_UNICODE = 1 << 28,
    REPLACEMENT_CHARACTER = 0xfffd,
    ELLIPSIS = 0x2026,
    LAST_CHARACTER = 0x10ffff,
};

/* CPython 2.7 Include/stringobject.h and unicodeobject.h: what text is there are bytes, or characters of one width. */
static enum python_status read_head_2(const struct layout *layout, struct memory *memory, remote_addr object,
                                      struct text_head *ret)
{
    remote_addr type;
    uint64_t flags = 0;
    struct text_head text = {.data = object + layout->bytes.data, .kind = 1};
    enum memory_status status = memory_read_u64(memory, object + layout->object.type, &type);
    if (status == MEMORY_OK)
        status = memory_read_u64(memory, type + layout->type.flags, &flags);
    if (status == MEMORY_OK && !(flags & (FLAG_STRING | FLAG_UNICODE)))
        return PYTHON_BAD_MEMORY;
    if (status == MEMORY_OK)
        status = memory_read_u64(memory, object + layout->text.length, &text.length);
    if (status == MEMORY_OK && (flags & FLAG_UNICODE)) {
        text.kind = layout->text.wide_len;
        status = memory_read_u64(memory, object + layout->text.compact_data, &text.data);
    } else {
        text.is_bytes = true;
    }
    if (status == MEMORY_OK && text.kind != 1 && text.kind != 2 && text.kind != 4)
        return PYTHON_BAD_MEMORY;
    *ret = text;
    return status_of_memory(status);
}

enum python_status text_open(const struct layout *layout, struct memory *memory, remote_addr object,
                             struct text_head *ret)
{
    unsigned char head[LAYOUT_TEXT_LEN];
    if (layout->text.state == LAYOUT_NONE)
        return read_head_2(layout, memory, object, ret);
    size_t len = layout->text.ascii_data;
    if (len > sizeof(head))
        return PYTHON_BAD_MEMORY;
    enum memory_status status = memory_read(memory, object, head, len);
    if (status != MEMORY_OK)
        return status_of_memory(status);
    uint32_t state = field_u32(head, layout->text.state);
    uint32_t kind = state >> layout->text.kind_shift;
    bool is_compact = kind & 1 << 3, is_ascii = kind & 1 << 4;
    struct text_head text = {
        .length = field_u64(head, layout->text.length),
        .kind = kind & 7,
    };
    if (text.kind != 1 && text.kind != 2 && text.kind != 4)
        return PYTHON_BAD_MEMORY;
    if (is_compact && is_ascii)
        text.data = object + layout->text.ascii_data;
    else if (is_compact)
        text.data = object + layout->text.compact_data;
    else
        status = memory_read_u64(memory, object + layout->text.compact_data, &text.data);
    *ret = text;
    return status_of_memory(status);
}

static uint32_t character_at(const unsigned char *data, uint32_t kind, size_t index)
{
    uint16_t narrow;
    uint32_t wide;
    switch (kind) {
    case 1:
        return data[index];
    case 2:
        memcpy(&narrow, data + 2 * index, sizeof(narrow));
        return narrow;
    default:
        memcpy(&wide, data + 4 * index, sizeof(wide));
        return wide;
    }
}

/* In 2.7, a build with characters of two bytes writes what is beyond them as two surrogates. Moves *index to the end.
 */
static uint32_t join_surrogates(const unsigned char *data, size_t count, uint32_t first, size_t *index)
{
    enum { HIGH = 0xd800, LOW = 0xdc00, END = 0xe000 };
    if (first < HIGH || first >= LOW || *index + 1 >= count)
        return first;
    uint32_t second = character_at(data, 2, *index + 1);
    if (second < LOW || second >= END)
        return first;
    ++*index;
    return 0x10000 + ((first - HIGH) << 10 | (second - LOW));
}

uint32_t text_next_character(const struct layout *layout, const struct text_head *text, const unsigned char *data,
                             size_t count, size_t *index)
{
    uint32_t c = character_at(data, text->kind, *index);
    if (layout->text.wide_len == 2 && text->kind == 2)
        c = join_surrogates(data, count, c, index);
    ++*index;
    return c;
}

size_t utf8_write(uint32_t c, char bytes[UTF8_LEN_LIMIT])
{
    if (c > LAST_CHARACTER)
        c = REPLACEMENT_CHARACTER;
    if (c < 0x80) {
        bytes[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(0xf00 >> len | c);
    return len;
}

static void append_utf8(struct buffer *buffer, uint32_t c)
{
    char bytes[UTF8_LEN_LIMIT];
    buffer_append(buffer, bytes, utf8_write(c, bytes));
}

enum python_status text_read(const struct layout *layout, struct memory *memory, remote_addr object,
                             struct buffer *buffer)
{
    unsigned char data[4 * TEXT_LENGTH_LIMIT];
    struct text_head text;
    enum python_status status = text_open(layout, memory, object, &text);
    if (status != PYTHON_OK)
        return status;
    bool is_cut = text.length > TEXT_LENGTH_LIMIT;
    size_t count = is_cut ? TEXT_LENGTH_LIMIT : (size_t)text.length;
    status = status_of_memory(memory_read(memory, text.data, data, count * text.kind));
    if (status != PYTHON_OK)
        return status;
    if (text.is_bytes)
        buffer_append(buffer, (const char *)data, count);
    for (size_t i = 0; i < count && !text.is_bytes;)
        append_utf8(buffer, text_next_character(layout, &text, data, count, &i));
    if (is_cut)
        append_utf8(buffer, ELLIPSIS);
    return buffer->failed ? PYTHON_NO_MEMORY : PYTHON_OK;
}

enum python_status bytes_read(const struct layout *layout, struct memory *memory, remote_addr object,
                              struct buffer *buffer)
{
    uint64_t len;
    enum memory_status status = memory_read_u64(memory, object + layout->bytes.length, &len);
    if (status != MEMORY_OK)
        return status_of_memory(status);
    if (len > BYTES_LENGTH_LIMIT)
        return PYTHON_BAD_MEMORY;
    char *end = buffer_reserve(buffer, (size_t)len);
    if (!end)
        return PYTHON_NO_MEMORY;
    status = memory_read(memory, object + layout->bytes.data, end, (size_t)len);
    if (status != MEMORY_OK)
        return status_of_memory(status);
    buffer->len += (size_t)len;
    buffer->data[buffer->len] = '\0';
    return PYTHON_OK;
}

/* The way round for what is not ASCII; keys of other lengths are told apart by their heads alone. */
static bool equals_utf8(const struct layout *layout, struct memory *memory, remote_addr object, const char *text)
{
    cleanup_buffer struct buffer found = {0};
    struct text_head head;
    size_t len = strlen(text);
    return text_open(layout, memory, object, &head) == PYTHON_OK && head.length <= len && head.length >= len / 4 &&
           text_read(layout, memory, object, &found) == PYTHON_OK && found.len == len &&
           memcmp(buffer_text(&found), text, len) == 0;
}

static bool is_ascii(const char *text)
{
    while (*text != '\0' && !((unsigned char)*text & 0x80))
        text++;
    return *text == '\0';
}

bool text_equals(const struct layout *layout, struct memory *memory, remote_addr object, const char *text)
{
    char data[64];
    struct text_head head;
    size_t len = strlen(text);
    if (!is_ascii(text))
        return equals_utf8(layout, memory, object, text);
    return text_open(layout, memory, object, &head) == PYTHON_OK && head.length == len && head.kind == 1 &&
           len <= sizeof(data) && memory_read(memory, head.data, data, len) == MEMORY_OK &&
           memcmp(data, text, len) == 0;
}
