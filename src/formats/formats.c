/* SPDX-License-Identifier: MIT */
#include "formats/formats.h"

#include "base/cleanup.h"
#include "writers.h"

#include <string.h>
#include <strings.h>

static const char *const flamegraph_endings[] = {".svg", NULL};
static const char *const collapsed_endings[] = {".txt", ".folded", ".collapsed", ".raw", NULL};

static const struct format formats[] = {
    {
        .name = "flamegraph",
        .extension = ".svg",
        .endings = flamegraph_endings,
        .write = flamegraph_write,
    },
    {
        .name = "raw",
        .alias = "collapsed",
        .extension = ".txt",
        .endings = collapsed_endings,
        .write = collapsed_write,
    },
};

const struct format *formats_all(size_t *ret_count)
{
    *ret_count = array_size(formats);
    return formats;
}

const struct format *format_by_name(const char *name)
{
    for (size_t i = 0; i < array_size(formats); i++) {
        if (strcasecmp(name, formats[i].name) == 0 || (formats[i].alias && strcasecmp(name, formats[i].alias) == 0))
            return &formats[i];
    }
    return NULL;
}

static bool ends_in(const char *path, const char *ending)
{
    size_t path_len = strlen(path);
    size_t ending_len = strlen(ending);
    return path_len >= ending_len && strcasecmp(path + path_len - ending_len, ending) == 0;
}

const struct format *format_by_ending(const char *path)
{
    for (size_t i = 0; i < array_size(formats); i++) {
        for (const char *const *ending = formats[i].endings; *ending; ending++) {
            if (ends_in(path, *ending))
                return &formats[i];
        }
    }
    return NULL;
}
