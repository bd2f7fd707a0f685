/* SPDX-License-Identifier: MIT */
#include "render.h"

#include "outputs.h"
#include "picture_options.h"

#include "base/buffer.h"
#include "formats/escape.h"
#include "profile/recording_file.h"
#include "profile/view.h"

#include <inttypes.h>
#include <string.h>

static void report_written(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        cleanup_buffer struct buffer shown = {0};
        const char *path = outputs->files[i].path;
        escape_visible(&shown, path, strlen(path));
        if (strcmp(path, "-") != 0)
            fprintf(stderr, "pyspyc: wrote %s\n", buffer_text(&shown));
    }
}

static void report_abandoned(const struct filter *filter)
{
    uint64_t count = filter_abandoned(filter);
    if (count > 0)
        fprintf(stderr, "pyspyc: %" PRIu64 " names took an expression too long to match; they count as not matching\n",
                count);
}

struct error *render(struct recording_file *file, int fd, const struct picture_options *options,
                     const struct view_options *view_options, struct outputs *outputs)
{
    cleanup_view struct view *view = NULL;
    struct view_options wanted = *view_options;
    wanted.filter = options->filter;
    struct error *error = view_create(file, &wanted, &view);
    if (!error)
        error = outputs_write(outputs, view, &options->format, fd);
    if (error)
        return error;
    report_written(outputs);
    report_abandoned(options->filter);
    return NULL;
}
