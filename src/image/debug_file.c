/* SPDX-License-Identifier: MIT */
/* Where separate debug files lie: gdb manual, "Debugging Information in Separate Files". */
#include "image/debug_file.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "image/loaded_image.h"

#include <string.h>

#define DEBUG_FOLDER "/usr/lib/debug"

/* A debug file that is looked for. */
struct search {
    debug_file_open open;
    void *context;
    struct loaded_image *loaded;
    const struct image_debug_link *link; /* or NULL, where the build id alone decides */
};

static bool belongs_to_image(const struct search *search, const struct image *candidate)
{
    if (image_has_same_build_id(search->loaded->image, candidate))
        return true;
    uint32_t checksum;
    return search->link && image_checksum(candidate, &checksum) && checksum == search->link->checksum;
}

/* Takes the file behind an open descriptor, -1 included. */
static bool take_file(const struct search *search, int fd)
{
    if (fd < 0)
        return false;
    cleanup_image struct image *candidate = NULL;
    cleanup_error struct error *error = image_open(fd, &candidate);
    if (error || !belongs_to_image(search, candidate))
        return false;
    search->loaded->debug = hand_over(&candidate);
    return true;
}

/* Tries one path in all places where it may be. */
static bool take_path(const struct search *search, struct buffer *path)
{
    for (int place = 0; place < DEBUG_FILE_PLACES; place++) {
        cleanup_fd int fd = search->open(search->context, buffer_text(path), place);
        if (take_file(search, fd))
            return true;
    }
    return false;
}

static bool find_by_build_id(const struct search *search)
{
    unsigned char id[IMAGE_BUILD_ID_LIMIT];
    size_t len = image_build_id(search->loaded->image, id);
    if (len < 2)
        return false;
    cleanup_buffer struct buffer path = {0};
    buffer_format(&path, DEBUG_FOLDER "/.build-id/%02x/", id[0]);
    for (size_t i = 1; i < len; i++)
        buffer_format(&path, "%02x", id[i]);
    buffer_append_text(&path, ".debug");
    return take_path(search, &path);
}

static bool find_by_link(const struct search *search)
{
    const char *slash = strrchr(search->loaded->path, '/');
    int folder_len = slash ? (int)(slash - search->loaded->path) : 0;
    static const char *const formats[][2] = {{"", ""}, {"", "/.debug"}, {DEBUG_FOLDER, ""}};
    for (size_t i = 0; i < array_size(formats); i++) {
        cleanup_buffer struct buffer path = {0};
        buffer_format(&path, "%s%.*s%s/%s", formats[i][0], folder_len, search->loaded->path, formats[i][1],
                      search->link->name);
        if (take_path(search, &path))
            return true;
    }
    return false;
}

bool debug_file_find(struct loaded_image *loaded, debug_file_open open, void *context)
{
    struct search search = {.open = open, .context = context, .loaded = loaded};
    if (loaded->debug || find_by_build_id(&search))
        return true;
    struct image_debug_link link;
    if (!image_debug_link(loaded->image, &link))
        return false;
    search.link = &link;
    return find_by_link(&search);
}
