/* SPDX-License-Identifier: MIT */
/*
 * Looking for the file with an ELF file's symbols: two bytes are the length of the file, which is followed by the one
 * that is found wherever is looked. What is looked for is below a root, so its path must not climb out of it.
 *
 * For: src/image/debug_file.c
 * Options: -max_len=8192
 */
#include "image/debug_file.h"

#include "base/cleanup.h"
#include "image/loaded_image.h"
#include "input.h"

#include <fcntl.h>

struct places {
    int fd;
    int opened;
};

static int open_place(void *context, const char *path, int place)
{
    struct places *places = context;
    check(place < DEBUG_FILE_PLACES && *path == '/' && !strstr(path, "/../"));
    places->opened++;
    return fcntl(places->fd, F_DUPFD_CLOEXEC, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1, debug_fd = -1;
    struct input input = {bytes, bytes + len};
    size_t image_len = input_number(&input, 2);
    size_t left = (size_t)(input.end - input.at);
    image_len = image_len < left ? image_len : left;
    cleanup_loaded_image struct loaded_image loaded = {0};
    cleanup_error struct error *error = image_open(input_file(&fd, input.at, image_len), &loaded.image);
    if (error)
        return 0;
    loaded.path = input_string("/lib/a.so", 9);
    struct places places = {input_file(&debug_fd, input.at + image_len, left - image_len), 0};
    bool is_found = debug_file_find(&loaded, open_place, &places);
    check(is_found == (loaded.debug != NULL) && places.opened < 32);
    return 0;
}
