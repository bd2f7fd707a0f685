/* SPDX-License-Identifier: MIT */
#include "formats/diff_formats.h"

#include "base/cleanup.h"
#include "diff_writers.h"

#include <string.h>
#include <strings.h>

static const char *const table_endings[] = {".txt", NULL};

static const char *const flamegraph_endings[] = {".svg", NULL};

static const struct diff_format formats[] = {
    {
        .name = "table",
        .help = "the functions that changed most, as text",
        .extension = ".txt",
        .endings = table_endings,
        .write = diff_table_write,
    },
    {
        .name = "flamegraph",
        .help = "interactive flame graph of both, one SVG file",
        .extension = ".svg",
        .endings = flamegraph_endings,
        .write = diff_flamegraph_write,
    },
};

const struct diff_format *diff_formats_all(size_t *ret_count)
{
    *ret_count = array_size(formats);
    return formats;
}

const struct diff_format *diff_format_by_name(const char *name)
{
    for (size_t i = 0; i < array_size(formats); i++) {
        if (strcasecmp(name, formats[i].name) == 0)
            return &formats[i];
    }
    return NULL;
}

static bool has_ending(const struct diff_format *format, const char *path)
{
    size_t path_len = strlen(path);
    for (const char *const *ending = format->endings; *ending; ending++) {
        size_t len = strlen(*ending);
        if (path_len >= len && strcasecmp(path + path_len - len, *ending) == 0)
            return true;
    }
    return false;
}

const struct diff_format *diff_format_by_ending(const char *path)
{
    for (size_t i = 0; i < array_size(formats); i++) {
        if (has_ending(&formats[i], path))
            return &formats[i];
    }
    return NULL;
}
