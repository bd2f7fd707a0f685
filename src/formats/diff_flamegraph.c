/* SPDX-License-Identifier: MIT */
/* The flame graph of two recordings; picture_diff.h tells what it shows. */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "diff_writers.h"
#include "flamegraph.h"
#include "formats/diff_formats.h"
#include "formats/formats.h"
#include "picture.h"
#include "picture_diff.h"
#include "profile/diff.h"
#include "profile/profile.h"

#include <string.h>

/* "python app.py", or "python old.py -> python new.py". */
static bool set_title(struct profile *profile, const struct diff *diff)
{
    cleanup_buffer struct buffer title = {0};
    size_t before_len, after_len;
    const char *before =
        profile_string(diff->before.profile, profile_get_info(diff->before.profile)->title, &before_len);
    const char *after = profile_string(diff->after.profile, profile_get_info(diff->after.profile)->title, &after_len);
    buffer_append(&title, before, before_len);
    if (before_len != after_len || memcmp(before, after, before_len) != 0) {
        buffer_append_text(&title, " \u2192 ");
        buffer_append(&title, after, after_len);
    } else {
        buffer_append_text(&title, ", before \u2192 after");
    }
    profile_info(profile)->title = profile_intern(profile, buffer_text(&title), title.len);
    return !title.failed && profile_info(profile)->title != PROFILE_NONE;
}

struct error *diff_flamegraph_write(const struct diff *diff, const struct diff_format_options *options, FILE *out)
{
    cleanup_profile struct profile *widths = NULL;
    cleanup_picture_diff struct picture_diff changes = {0};
    cleanup_picture struct picture picture = {0};
    const struct format_options format = {
        .full_filenames = options->full_filenames,
        .detail = {.lines = diff->lines == DIFF_LINES ? PROFILE_CURRENT_LINE : PROFILE_FUNCTION_LINE,
                   .with_threads = true,
                   .with_processes = true},
    };
    struct error *error = diff_make_widths(diff, &widths);
    if (!error && !set_title(widths, diff))
        error = error_no_memory();
    if (!error)
        error = picture_diff_init(&changes, diff);
    if (!error)
        error = picture_init_diff(&picture, widths, &format, &changes);
    return error ? error : flamegraph_write_picture(&(struct flamegraph_frame){0}, &picture, widths, out);
}
