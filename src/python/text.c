/* SPDX-License-Identifier: MIT */
#include "text.h"

#include "base/buffer.h"
#include "layout.h"
#include "read.h"

/* What the head of a str says: CPython Include/cpython/unicodeobject.h: PyASCIIObject, PyCompactUnicodeObject. */
struct text_head {
    uint64_t length;
    uint32_t kind; /* bytes per character: 1 Latin-1, 2 UCS-2, 4 UCS-4 */
    remote_addr data;
};

static enum python_status read_head(const struct layout *layout, struct memory *memory, remote_addr object,
                                    struct text_head *ret)
{
    unsigned char head[LAYOUT_TEXT_LEN];
    size_t len = layout->text.ascii_data;
    if (len > sizeof(head))
        return PYTHON_BAD_MEMORY;
    enum memory_status status = memory_read(memory, object, head, len);
    if (status != MEMORY_OK)
        return status_of_memory(status);
    uint32_t state = field_u32(head, layout->text.state);
    bool is_compact = state & 1 << 5, is_ascii = state & 1 << 6;
    struct text_head text = {
        .length = field_u64(head, layout->text.length),
        .kind = state >> 2 & 7,
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

static void append_utf8(struct buffer *buffer, uint32_t c)
{
    char bytes[4];
    size_t len;
    if (c < 0x80) {
        bytes[0] = (char)c;
        len = 1;
    } else if (c < 0x800) {
        bytes[0] = (char)(0xc0 | c >> 6);
        bytes[1] = (char)(0x80 | (c & 0x3f));
        len = 2;
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xe0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (c & 0x3f));
        len = 3;
    } else {
        bytes[0] = (char)(0xf0 | c >> 18);
        bytes[1] = (char)(0x80 | (c >> 12 & 0x3f));
        bytes[2] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[3] = (char)(0x80 | (c & 0x3f));
        len = 4;
    }
    buffer_append(buffer, bytes, len);
}

enum {
    REPLACEMENT_CHARACTER = 0xfffd,
    ELLIPSIS = 0x2026,
    LAST_CHARACTER = 0x10ffff,
};

enum python_status text_read(const struct layout *layout, struct memory *memory, remote_addr object,
                             struct buffer *buffer)
{
    unsigned char data[4 * TEXT_LENGTH_LIMIT];
    struct text_head text;
    enum python_status status = read_head(layout, memory, object, &text);
    if (status != PYTHON_OK)
        return status;
    bool is_cut = text.length > TEXT_LENGTH_LIMIT;
    size_t count = is_cut ? TEXT_LENGTH_LIMIT : (size_t)text.length;
    status = status_of_memory(memory_read(memory, text.data, data, count * text.kind));
    if (status != PYTHON_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        uint32_t c = character_at(data, text.kind, i);
        append_utf8(buffer, c <= LAST_CHARACTER ? c : REPLACEMENT_CHARACTER);
    }
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

bool text_equals(const struct layout *layout, struct memory *memory, remote_addr object, const char *text)
{
    char data[64];
    struct text_head head;
    size_t len = strlen(text);
    return read_head(layout, memory, object, &head) == PYTHON_OK && head.length == len && head.kind == 1 &&
           len <= sizeof(data) && memory_read(memory, head.data, data, len) == MEMORY_OK &&
           memcmp(data, text, len) == 0;
}
