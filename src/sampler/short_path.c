/* SPDX-License-Identifier: MIT */
#include "short_path.h"

#include "base/buffer.h"
#include "target/process.h"

#include <stdbool.h>
#include <string.h>

/* Where the last component of the first len bytes of a path begins. */
static size_t last_component(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/')
        len--;
    return len;
}

/* Whether the folder path[0, len) has an __init__.py; len ends behind a slash. */
static bool is_package(const struct process *process, const char *path, size_t len)
{
    cleanup_buffer struct buffer init = {0};
    buffer_append(&init, path, len);
    buffer_append_text(&init, "__init__.py");
    return !init.failed && process_has_file(process, init.data);
}

size_t short_path_start(const struct process *process, const char *path, size_t len)
{
    size_t start = last_component(path, len);
    if (path[0] != '/')
        return start;
    while (start > 1 && is_package(process, path, start))
        start = last_component(path, start - 1);
    return start;
}

size_t short_path_start_native(const char *path, size_t len, bool is_source)
{
    size_t start = last_component(path, len);
    return is_source && start > 1 ? last_component(path, start - 1) : start;
}
