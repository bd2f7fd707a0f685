/* SPDX-License-Identifier: MIT */
#include "recording_blocks.h"

#include <errno.h>
#include <unistd.h>
#include <zlib.h>

void recording_blocks_deinit(struct recording_blocks *blocks)
{
    buffer_deinit(&blocks->packed);
    buffer_deinit(&blocks->content);
}

static uint32_t u32_at(const char *bytes)
{
    const unsigned char *at = (const unsigned char *)bytes;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Reads len bytes at a position; *ret is false when the file has fewer. */
static struct error *read_at(int fd, char *bytes, size_t len, off_t at, bool *ret)
{
    while (len > 0) {
        ssize_t got = pread(fd, bytes, len, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_from_errno(errno, "cannot read the recording");
        if (got == 0) {
            *ret = false;
            return NULL;
        }
        bytes += got;
        at += got;
        len -= (size_t)got;
    }
    *ret = true;
    return NULL;
}

static char *make_room(struct buffer *buffer, size_t len)
{
    buffer_clear(buffer);
    return buffer_reserve(buffer, len);
}

/* Unpacks what was read; false when it is damaged. */
static struct error *unpack(struct recording_blocks *blocks, const char *head, uLong packed_len, uLong len, bool *ret)
{
    const Bytef *data = (const Bytef *)blocks->packed.data;
    uLong crc = crc32(0, (const Bytef *)head, 8);
    *ret = crc32(crc, data, (uInt)packed_len) == u32_at(head + 8);
    if (!*ret)
        return NULL;
    char *content = make_room(&blocks->content, len);
    if (!content)
        return error_no_memory();
    uLongf unpacked_len = len;
    int status = uncompress((Bytef *)content, &unpacked_len, data, packed_len);
    blocks->content.len = unpacked_len;
    *ret = status == Z_OK && unpacked_len == len;
    return status == Z_MEM_ERROR ? error_no_memory() : NULL;
}

struct error *recording_blocks_next(struct recording_blocks *blocks, bool *ret)
{
    char head[RECORDING_BLOCK_HEAD_LEN];
    *ret = false;
    if (blocks->end - blocks->at < RECORDING_BLOCK_HEAD_LEN)
        return NULL;
    bool is_there = false;
    struct error *error = read_at(blocks->fd, head, sizeof(head), blocks->at, &is_there);
    if (error || !is_there)
        return error;
    off_t packed_len = u32_at(head), len = u32_at(head + 4);
    if (len > RECORDING_BLOCK_LIMIT || packed_len > blocks->end - blocks->at - RECORDING_BLOCK_HEAD_LEN)
        return NULL;
    char *packed = make_room(&blocks->packed, (size_t)packed_len);
    if (!packed)
        return error_no_memory();
    error = read_at(blocks->fd, packed, (size_t)packed_len, blocks->at + RECORDING_BLOCK_HEAD_LEN, &is_there);
    if (error || !is_there)
        return error;
    error = unpack(blocks, head, (uLong)packed_len, (uLong)len, ret);
    if (!error && *ret)
        blocks->at += RECORDING_BLOCK_HEAD_LEN + packed_len;
    return error;
}

struct decoder recording_blocks_content(const struct recording_blocks *blocks)
{
    const unsigned char *begin = (const unsigned char *)buffer_text(&blocks->content);
    return (struct decoder){.at = begin, .end = begin + blocks->content.len};
}

bool recording_next_section(struct decoder *content, enum recording_section *ret_section, struct decoder *ret_data)
{
    if (content->at >= content->end)
        return false;
    uint64_t section = decode_up_to(content, INT32_MAX);
    size_t len;
    const char *data = decode_bytes(content, &len);
    if (content->has_failed || section == 0) {
        content->has_failed = true;
        return false;
    }
    *ret_section = (enum recording_section)section;
    *ret_data = (struct decoder){.at = (const unsigned char *)data, .end = (const unsigned char *)data + len};
    return true;
}
