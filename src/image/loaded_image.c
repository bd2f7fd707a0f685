/* SPDX-License-Identifier: MIT */
#include "image/loaded_image.h"

#include <stdlib.h>

void loaded_image_deinit(struct loaded_image *loaded)
{
    image_destroy(loaded->image);
    free(loaded->path);
    *loaded = (struct loaded_image){0};
}

uint64_t loaded_image_find(const struct loaded_image *loaded, const char *name)
{
    struct image_range symbol;
    return image_find_symbol(loaded->image, name, &symbol) ? symbol.address + loaded->bias : 0;
}
