/* SPDX-License-Identifier: MIT */
#include "packed_image.h"

#include <gelf.h>
#include <lzma.h>
#include <string.h>

enum {
    PACKED_LIMIT = 16 << 20,   /* bytes; Fedora's chromium has 3 MB */
    UNPACKED_LIMIT = 64 << 20, /* bytes */
    MEMORY_LIMIT = 80 << 20,   /* bytes that liblzma may take: xz -9 takes 65 MB, Fedora's default 9 MB */
    UNPACK_STEP = 256 << 10,
};

static const Elf_Data *find_packed(Elf *elf)
{
    size_t names;
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return NULL;
    while ((section = elf_nextscn(elf, section))) {
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS || header.sh_size > PACKED_LIMIT)
            continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        if (name && strcmp(name, ".gnu_debugdata") == 0)
            return elf_rawdata(section, NULL);
    }
    return NULL;
}

static bool unpack(lzma_stream *stream, struct buffer *ret)
{
    lzma_ret status = LZMA_OK;
    while (status == LZMA_OK) {
        char *free_bytes = ret->len < UNPACKED_LIMIT ? buffer_reserve(ret, UNPACK_STEP) : NULL;
        if (!free_bytes)
            return false;
        stream->next_out = (uint8_t *)free_bytes;
        stream->avail_out = UNPACK_STEP;
        status = lzma_code(stream, LZMA_FINISH);
        ret->len += UNPACK_STEP - stream->avail_out;
    }
    return status == LZMA_STREAM_END;
}

bool packed_image_read(Elf *elf, struct buffer *ret)
{
    const Elf_Data *packed = find_packed(elf);
    lzma_stream stream = LZMA_STREAM_INIT;
    if (!packed || !packed->d_buf || lzma_stream_decoder(&stream, MEMORY_LIMIT, 0) != LZMA_OK)
        return false;
    stream.next_in = packed->d_buf;
    stream.avail_in = packed->d_size;
    bool is_good = unpack(&stream, ret);
    lzma_end(&stream);
    return is_good;
}
