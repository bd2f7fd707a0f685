/* SPDX-License-Identifier: MIT */
/*
 * Files of pprof. Where the first byte is odd, the rest is the file; else it is packed first, as these files are.
 *
 * For: src/formats/import_pprof.c src/formats/import_source.c src/formats/pprof_message.c src/formats/import.c
 * Options: -max_len=2048
 */
#include "formats_imports.h"

#include <zlib.h>

/* One member of gzip, stored as it is. */
static void pack(struct buffer *out, const uint8_t *bytes, size_t len)
{
    static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff\x01";
    buffer_append(out, head, sizeof(head) - 1);
    const uint32_t lens = (uint32_t)len | ~(uint32_t)len << 16;
    buffer_append(out, &lens, sizeof(lens));
    buffer_append(out, (const char *)bytes, len);
    const uint32_t end[] = {(uint32_t)crc32(0, bytes, (uInt)len), (uint32_t)len};
    buffer_append(out, end, sizeof(end));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    cleanup_buffer struct buffer packed = {0};
    bool is_packed_here = bytes[0] % 2 == 0;
    if (is_packed_here)
        pack(&packed, bytes + 1, len - 1);
    else
        buffer_append(&packed, bytes + 1, len - 1);
    imports_try(buffer_text(&packed), packed.len, !is_packed_here || (len > 1 && bytes[1] == 0x93));
    return 0;
}
