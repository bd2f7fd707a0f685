/* SPDX-License-Identifier: MIT */
/*
 * An ELF file, of which everything is asked that image.h has: as a file, as bytes in memory, and as their beginning.
 *
 * For: src/image/image.c
 * Options: -max_len=8192
 */
#include "image/image.h"

#include "base/cleanup.h"
#include "input.h"

static void ask_names(const struct image *image)
{
    static const char *const names[] = {"_PyRuntime", "local", "", "nowhere"};
    struct image_range range;
    for (size_t i = 0; i < array_size(names); i++)
        image_find_symbol(image, names[i], &range);
    image_has_symbol_prefix(image, "PyUnicodeUCS2_");
    image_has_local_functions(image);
    image_find_section(image, ".PyRuntime", &range);
    image_find_section(image, ".text", &range);
}

static void ask_segments(const struct image *image)
{
    struct image_range range;
    uint64_t bias;
    unsigned char bytes[64];
    for (size_t i = 0; image_writable_segment(image, i, &range); i++)
        image_read(image, range.address, bytes, sizeof(bytes));
    image_load_bias(image, 0x7f0000000000, 0x2000, false, &bias);
    image_load_bias(image, 0x7f0000000000, 0, true, &bias);
    image_load_bias_of_code(image, 0x7f0000000000, 0x1000, &bias);
    if (image_unwind_table(image, &range))
        image_read(image, range.address, bytes, sizeof(bytes));
    image_read(image, UINT64_MAX - 1, bytes, sizeof(bytes));
}

static void ask_notes(const struct image *image)
{
    unsigned char id[IMAGE_BUILD_ID_LIMIT];
    struct image_debug_link link;
    uint32_t checksum;
    size_t len = image_build_id(image, id);
    check(len <= sizeof(id));
    check(image_has_same_build_id(image, image) == (len > 0));
    if (image_debug_link(image, &link))
        check(memchr(link.name, '\0', sizeof(link.name)) && !strchr(link.name, '/'));
    image_checksum(image, &checksum);
}

static void ask(struct error *error, struct image *opened)
{
    cleanup_image struct image *image = opened;
    if (error) {
        check(error->kind == ERROR_BAD_DATA && !image);
        error_destroy(error);
        return;
    }
    ask_names(image);
    ask_segments(image);
    ask_notes(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    struct image *image = NULL;
    struct error *error = image_open(input_file(&fd, bytes, len), &image);
    ask(error, image);
    image = NULL;
    error = image_open_bytes(bytes, len, &image);
    ask(error, image);
    image = NULL;
    error = image_open_head(bytes, len, &image);
    ask(error, image);
    return 0;
}
