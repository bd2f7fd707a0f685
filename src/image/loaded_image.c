/* SPDX-License-Identifier: MIT */
#include "image/loaded_image.h"

#include <stdlib.h>
#include <string.h>

struct error *loaded_image_open(int fd, const char *path, uint64_t start, uint64_t offset, bool is_code,
                                struct loaded_image *ret)
{
    struct loaded_image loaded = {.path = strdup(path)};
    struct error *error = loaded.path ? image_open(fd, &loaded.image) : error_no_memory();
    if (error)
        error = error_wrap(error, "cannot use '%s'", path);
    else if (is_code ? !image_load_bias_of_code(loaded.image, start, offset, &loaded.bias)
                     : !image_load_bias(loaded.image, start, offset, false, &loaded.bias))
        error = error_create(ERROR_BAD_DATA, "'%s' is not mapped as its program headers say", path);
    if (error) {
        loaded_image_deinit(&loaded);
        return error;
    }
    *ret = loaded;
    return NULL;
}

void loaded_image_deinit(struct loaded_image *loaded)
{
    image_destroy(loaded->image);
    image_destroy(loaded->debug);
    free(loaded->path);
    *loaded = (struct loaded_image){0};
}

uint64_t loaded_image_find(const struct loaded_image *loaded, const char *name)
{
    struct image_range symbol;
    bool is_found = image_find_symbol(loaded->image, name, &symbol) ||
                    (loaded->debug && image_find_symbol(loaded->debug, name, &symbol));
    return is_found ? symbol.address + loaded->bias : 0;
}
