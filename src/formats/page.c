/* SPDX-License-Identifier: MIT */
/*
 * The flame graph as an HTML page with a time axis: the same picture and script inside, and besides what each thread
 * did over time, so that a range of it can be selected. Without scripts it is the still picture.
 */
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "embedded.h"
#include "flamegraph.h"
#include "formats/formats.h"
#include "profile/profile.h"
#include "profile/view.h"
#include "runs.h"
#include "writers.h"

/* Text of an HTML page is escaped as that of XML is. */
static struct error *write_head(const struct profile *profile, FILE *out)
{
    cleanup_buffer struct buffer visible = {0}, title = {0};
    size_t len;
    const char *text = profile_string(profile, profile_get_info(profile)->title, &len);
    escape_visible(&visible, text, len);
    escape_xml(&title, buffer_text(&visible), visible.len);
    if (visible.failed || title.failed)
        return error_no_memory();
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width\">\n",
          out);
    fprintf(out, "<title>%s - flame graph and time</title>\n<style>\n", buffer_text(&title));
    fwrite(page_css, 1, page_css_len, out);
    fputs("</style>\n</head>\n<body>\n<div class=\"pyspyc-time\"></div>\n", out);
    return NULL;
}

static struct error *write_runs(const void *context, FILE *out)
{
    return runs_write(context, out);
}

struct error *page_write(const struct view *view, const struct format_options *options, FILE *out)
{
    const struct flamegraph_frame frame = {
        .is_in_page = true,
        .write_more_data = write_runs,
        .context = view,
    };
    struct error *error = write_head(view_profile(view), out);
    if (!error)
        error = flamegraph_write_in(&frame, view_profile(view), options, out);
    if (!error)
        fputs("</body>\n</html>\n", out);
    return error;
}
