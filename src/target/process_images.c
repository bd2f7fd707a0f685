/* SPDX-License-Identifier: MIT */
#include "target/process_images.h"

#include "base/cleanup.h"
#include "target/process.h"

#include <string.h>

static const struct mapping *first_mapping_of(const struct maps *maps, const struct mapping *mapping)
{
    for (uint32_t i = 0; i < maps->count; i++) {
        const struct mapping *candidate = &maps->mappings[i];
        if (candidate->inode == mapping->inode && strcmp(candidate->path, mapping->path) == 0)
            return candidate;
    }
    return mapping;
}

struct error *process_open_image(const struct process *process, const struct maps *maps, const struct mapping *mapping,
                                 struct loaded_image *ret)
{
    const struct mapping *first = first_mapping_of(maps, mapping);
    cleanup_fd int fd = -1;
    struct error *error = process_open_mapping(process, first, &fd);
    if (error)
        return error;
    struct loaded_image loaded = {.path = strdup(first->path)};
    error = loaded.path ? image_open(fd, &loaded.image) : error_no_memory();
    if (error)
        error = error_wrap(error, "cannot use '%s'", first->path);
    else if (!image_load_bias(loaded.image, first->start, first->offset, &loaded.bias))
        error = error_create(ERROR_BAD_DATA, "'%s' is not mapped as its program headers say", first->path);
    if (error) {
        loaded_image_deinit(&loaded);
        return error;
    }
    *ret = loaded;
    return NULL;
}

const struct mapping *process_executable_mapping(const struct process *process, const struct maps *maps)
{
    cleanup_free char *path = NULL;
    cleanup_error struct error *error = process_executable_path(process, &path);
    if (error)
        return NULL;
    for (uint32_t i = 0; i < maps->count; i++) {
        if (maps->mappings[i].inode != 0 && strcmp(maps->mappings[i].path, path) == 0)
            return &maps->mappings[i];
    }
    return NULL;
}

const struct mapping *process_library_mapping(const struct maps *maps, const char *prefix)
{
    for (uint32_t i = 0; i < maps->count; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        if (mapping->inode != 0 && strncmp(mapping_name(mapping), prefix, strlen(prefix)) == 0)
            return mapping;
    }
    return NULL;
}
