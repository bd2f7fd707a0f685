/* SPDX-License-Identifier: MIT */
/*
 * The names and starts of the functions of an ELF file, with itself as the file with its symbols. What is found at an
 * address has to hold it.
 *
 * For: src/image/function_names.c src/image/function_starts.c
 * Options: -max_len=8192
 */
#include "image/function_names.h"

#include "base/cleanup.h"
#include "image/function_starts.h"
#include "input.h"

static void find_name(const struct function_names *names, uint64_t address)
{
    struct image_range range;
    cleanup_buffer struct buffer name = {0};
    if (!function_names_find(names, address, &range, &name))
        return;
    check(range.address <= address && (range.len == 0 || address - range.address < range.len));
    check(name.len <= FUNCTION_NAME_LIMIT);
}

static void find_start(const struct function_starts *starts, uint64_t address)
{
    struct image_range range;
    if (function_starts_find(starts, address, &range))
        check(range.address <= address && (range.len == 0 || address - range.address < range.len));
}

static void find_all(const struct image *image, const struct image *debug, const uint64_t *addresses, size_t count)
{
    cleanup_function_names struct function_names *names = NULL;
    check(!function_names_create(image, debug, &names));
    struct function_starts starts = {0};
    function_starts_init(&starts, image);
    for (size_t i = 0; i < count; i++) {
        find_name(names, addresses[i]);
        find_start(&starts, addresses[i]);
    }
    function_starts_deinit(&starts);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    /* The addresses at the end change with the file. */
    uint64_t addresses[] = {0, 0x1320, 0x1345, 0x1372, 0x1545, 0x1571, 0x1585, UINT64_MAX, 0, 0};
    memcpy(addresses + array_size(addresses) - 2, bytes + (len < 16 ? 0 : len - 16), len < 16 ? 0 : 16);
    cleanup_image struct image *image = NULL;
    cleanup_error struct error *error = image_open(input_file(&fd, bytes, len), &image);
    if (!error) {
        find_all(image, NULL, addresses, array_size(addresses));
        find_all(image, image, addresses, array_size(addresses));
    }
    return 0;
}
