/* SPDX-License-Identifier: MIT */
#include "label.h"

#include "formats/formats.h"
#include "profile/profile.h"

static const char kernel[] = "kernel"; /* where a system call is */

static void append_string(struct buffer *out, const struct profile *profile, uint32_t string)
{
    size_t len;
    const char *text = profile_string(profile, string, &len);
    buffer_append(out, text, len);
}

static bool is_empty(const struct profile *profile, uint32_t string)
{
    size_t len;
    profile_string(profile, string, &len);
    return len == 0;
}

void label_append_place(struct buffer *out, const struct profile *profile, uint32_t frame,
                        const struct format_options *options)
{
    const struct profile_frame *seen = profile_frame(profile, frame);
    if (seen->kind == FRAME_KERNEL)
        buffer_append_text(out, kernel);
    if (!profile_frame_has_file(profile, seen))
        return;
    append_string(out, profile, options->full_filenames ? seen->file : profile_short_file(profile, seen->file));
    if (seen->line != 0)
        buffer_format(out, ":%d", seen->line);
}

void label_append(struct buffer *out, const struct profile *profile, uint32_t frame,
                  const struct format_options *options)
{
    const struct profile_frame *seen = profile_frame(profile, frame);
    if (is_empty(profile, seen->name))
        buffer_append_text(out, LABEL_NO_NAME);
    append_string(out, profile, seen->name);
    if (seen->kind != FRAME_KERNEL && !profile_frame_has_file(profile, seen))
        return;
    buffer_append_text(out, " (");
    label_append_place(out, profile, frame, options);
    buffer_append_char(out, ')');
}
