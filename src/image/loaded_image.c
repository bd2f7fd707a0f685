/* SPDX-License-Identifier: MIT */
#include "image/loaded_image.h"

#include <stdlib.h>

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
