/* SPDX-License-Identifier: MIT */
/*
 * The section .gnu_debugdata. Its content is the input, behind a first byte; where that is odd, the input is packed
 * first, which gets behind the checksums of xz.
 *
 * For: src/image/packed_image.c
 * Options: -max_len=4096
 */
#include "image/packed_image.h"

#include "base/cleanup.h"
#include "elf_writer.h"
#include "image/function_names.h"
#include "input.h"

#include <lzma.h>

enum { PACKED_LIMIT = 16384 };

/* With a small dictionary, which is made fast. */
static size_t pack(const uint8_t *bytes, size_t len, uint8_t packed[PACKED_LIMIT])
{
    size_t packed_len = 0;
    lzma_options_lzma options;
    check(!lzma_lzma_preset(&options, 0));
    options.dict_size = LZMA_DICT_SIZE_MIN;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    check(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, bytes, len, packed, &packed_len, PACKED_LIMIT) ==
          LZMA_OK);
    return packed_len;
}

static void read_section(const void *bytes, size_t len)
{
    static int fd = -1;
    struct elf_writer writer;
    struct image_range range;
    cleanup_buffer struct buffer name = {0};
    elf_writer_init(&writer, ET_DYN);
    elf_writer_section(&writer, ".gnu_debugdata", SHT_PROGBITS, 0, bytes, len);
    elf_writer_finish(&writer);
    cleanup_image struct image *image = NULL;
    check(!image_open(input_file(&fd, writer.file.data, writer.file.len), &image));
    cleanup_function_names struct function_names *names = NULL;
    check(!function_names_create(image, NULL, &names));
    function_names_find(names, 0x1345, &range, &name);
    elf_writer_deinit(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint8_t packed[PACKED_LIMIT];
    if (len == 0)
        return 0;
    if (bytes[0] % 2 == 1)
        read_section(packed, pack(bytes + 1, len - 1, packed));
    else
        read_section(bytes + 1, len - 1);
    return 0;
}
