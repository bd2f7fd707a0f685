/* SPDX-License-Identifier: MIT */
#include "native_modules.h"

#include <fcntl.h>
#include <string.h>

const struct native_module *modules_find(struct modules *modules, remote_addr address)
{
    for (uint32_t i = 0; i < modules->count; i++) {
        if (address >= modules->items[i].start && address < modules->items[i].end)
            return &modules->items[i];
    }
    return NULL;
}

static int duplicate(int fd)
{
    return fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
}

int modules_open_jit_names(const struct modules *modules)
{
    ((struct modules *)modules)->jit_count++;
    return duplicate(modules->jit_names);
}

int modules_open_source(const struct modules *modules, const char *path)
{
    ((struct modules *)modules)->source_count++;
    return modules->source_path && strcmp(path, modules->source_path) == 0 ? duplicate(modules->source) : -1;
}
