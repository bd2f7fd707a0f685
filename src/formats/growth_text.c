/* SPDX-License-Identifier: MIT */
#include "formats/growth_text.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "formats/formats.h"
#include "label.h"
#include "profile/diff.h"

void growth_text_append(struct buffer *out, const struct diff *diff, enum growth_kind kind, uint32_t frame,
                        bool full_filenames)
{
    const struct format_options options = {.full_filenames = full_filenames};
    const struct diff_amount *amount = growth_amount(diff, kind, frame);
    cleanup_buffer struct buffer label = {0};
    label_append(&label, diff->after.profile, frame, &options);
    escape_visible(out, buffer_text(&label), label.len);
    buffer_format(out, " takes %.1f %% of the time %s, %.1f %% before: %+.1f points",
                  diff_percent(&diff->after, amount->after), kind == GROWTH_TOTAL ? "with what it calls" : "by itself",
                  diff_percent(&diff->before, amount->before), diff_points(diff, amount));
    out->failed |= label.failed;
}
