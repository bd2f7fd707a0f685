/* SPDX-License-Identifier: MIT */
#include "render.h"

#include "outputs.h"
#include "picture_options.h"
#include "terminal.h"

#include "base/buffer.h"
#include "base/escape.h"
#include "formats/summary.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/view.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static void report_written(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        cleanup_buffer struct buffer shown = {0};
        const char *path = outputs->names[i];
        escape_visible(&shown, path, strlen(path));
        if (strcmp(path, "-") != 0 && outputs->files[i].is_complete)
            fprintf(stderr, "pyspyc: wrote %s\n", shown.failed ? "the file" : buffer_text(&shown));
    }
}

static void report_abandoned(const struct filter *filter)
{
    uint64_t count = filter_abandoned(filter);
    if (count > 0)
        fprintf(stderr, "pyspyc: %" PRIu64 " names took an expression too long to match; they count as not matching\n",
                count);
}

static bool goes_to_standard_output(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (strcmp(outputs->files[i].path, "-") == 0)
            return true;
    }
    return false;
}

/* What to type to see the first output, or where to go. */
static void report_next_step(const struct outputs *outputs)
{
    cleanup_buffer struct buffer word = {0};
    const char *path = outputs->names[0];
    const struct format *format = outputs->formats[0];
    escape_shell_word(&word, path, strlen(path));
    const char *command = format->is_recording ? "pyspyc report" : format->viewer;
    if (command)
        fprintf(stderr, "\nNext: %s %s\n", command, buffer_text(&word));
    else if (format->site)
        fprintf(stderr, "\nNext: open %s at %s\n", buffer_text(&word), format->site);
}

/* Where standard output shows no result: what took most time, and what to do next. */
static struct error *report_summary(const struct view *view, const struct picture_options *options,
                                    const struct outputs *outputs)
{
    if (goes_to_standard_output(outputs))
        return NULL;
    struct format_options laid_out = options->format;
    terminal_describe(STDERR_FILENO, &laid_out.tree);
    uint32_t node_count;
    profile_nodes(view_profile(view), &node_count);
    if (node_count > 1) /* with the root, which always is there */
        fputc('\n', stderr);
    struct error *error = summary_write(view_profile(view), &laid_out, stderr);
    report_next_step(outputs);
    fputc('\n', stderr);
    return error;
}

struct error *render(struct recording_file *file, int fd, const struct picture_options *options,
                     const struct view_options *view_options, struct outputs *outputs, enum render_end end)
{
    cleanup_view struct view *view = NULL, *with_idle = NULL;
    struct view_options wanted = *view_options;
    wanted.filter = options->filter;
    struct error *error = view_create(file, &wanted, &view);
    wanted.mark_idle = true;
    if (!error && recording_file_has_idle(file) && outputs_mark_idle(outputs))
        error = view_create(file, &wanted, &with_idle);
    if (error)
        return error;
    const struct views views = {view, with_idle};
    const struct recording_source recording = {fd, recording_file_good_len(file)};
    error = outputs_write(outputs, &views, &options->format, &recording);
    if (end == RENDER_SILENT)
        return error;
    report_written(outputs);
    if (error)
        return error;
    report_abandoned(options->filter);
    return end == RENDER_WITH_SUMMARY ? report_summary(view, options, outputs) : NULL;
}
