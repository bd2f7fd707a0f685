/* SPDX-License-Identifier: MIT */
/*
 * The flame graph: one SVG file that stands alone.
 *
 * With scripts blocked (in <img>, in mail, under a strict content security policy) it is a still picture. Opened in a
 * browser, the script that it carries (folder script) redraws it for the window, and adds what can be done with it. It
 * has no ids and its style reaches no other element, so that several can stand in one HTML page.
 */
#include "flamegraph.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "embedded.h"
#include "facts.h"
#include "formats/formats.h"
#include "picture.h"
#include "profile/losses.h"
#include "profile/profile.h"
#include "writers.h"

#include <inttypes.h>

static bool has_samples(const struct picture *picture)
{
    return picture->tree.nodes[0].total > 0;
}

static bool is_lossy(const struct picture *picture)
{
    return !picture->diff && facts_are_lossy(&profile_get_info(picture->profile)->intervals);
}

/* What becomes of a picture's numbers, for those who have only the file. */
static struct error *write_description(const struct profile *profile, FILE *out)
{
    uint32_t count;
    cleanup_buffer struct buffer text = {0}, escaped = {0};
    const struct profile_intervals *intervals = &profile_get_info(profile)->intervals;
    uint64_t all = facts_count_intervals(intervals);
    if (all == 0)
        return NULL;
    buffer_format(&text, "Of %" PRIu64 " intervals: ", all);
    facts_append_intervals(&text, intervals);
    const struct profile_loss *losses = profile_losses(profile, &count);
    for (uint32_t i = 0; i < count; i++) {
        size_t len;
        const char *cause = profile_string(profile, losses[i].cause, &len);
        buffer_format(&text, "; %" PRIu64 " ", losses[i].count);
        escape_visible(&text, cause, len);
    }
    escape_xml(&escaped, buffer_text(&text), text.len);
    if (text.failed || escaped.failed)
        return error_no_memory();
    fprintf(out, "<desc>%s</desc>\n", buffer_text(&escaped));
    return NULL;
}

static struct error *write_opening(const struct picture *picture, const struct flamegraph_frame *frame, FILE *out)
{
    cleanup_buffer struct buffer title = {0};
    escape_xml(&title, buffer_text(&picture->title), picture->title.len);
    if (title.failed)
        return error_no_memory();
    uint32_t width = picture_width(picture), height = picture_height(picture);
    if (!frame->is_in_page)
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pyspyc-flamegraph%s%s\" width=\"%u\" height=\"%u\""
            " viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"Flame graph of %s\">\n",
            has_samples(picture) ? "" : " empty", is_lossy(picture) ? " lossy" : "", width, height, width, height,
            buffer_text(&title));
    fprintf(out, "<title>%s - flame graph</title>\n", buffer_text(&title));
    return picture->diff ? NULL : write_description(picture->profile, out);
}

/* In a CDATA section text stays as it is both for XML parsers and for HTML parsers that meet it inside <svg>. */
static void write_style(FILE *out)
{
    fputs("<style><![CDATA[\n", out);
    fwrite(flamegraph_css, 1, flamegraph_css_len, out);
    fputs("]]></style>\n", out);
}

/* In a function of its own, so that its names reach no other script of the page. */
static void write_script(const struct flamegraph_frame *frame, FILE *out)
{
    fputs("<script><![CDATA[\n(function () {\n'use strict';\n", out);
    fwrite(flamegraph_js, 1, flamegraph_js_len, out);
    if (frame->is_in_page)
        fwrite(start_page_js, 1, start_page_js_len, out);
    else
        fwrite(start_js, 1, start_js_len, out);
    fputs("})();\n]]></script>\n", out);
}

static bool has_groups_to_merge(const struct profile *profile, const struct profile_detail *detail)
{
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(profile, &count);
    for (uint32_t node = PROFILE_ROOT + 1; node < count; node++) {
        enum frame_kind kind = profile_frame(profile, nodes[node].frame)->kind;
        if ((kind == FRAME_THREAD && !detail->with_threads) || (kind == FRAME_PROCESS && !detail->with_processes))
            return true;
    }
    return false;
}

static bool has_lines_to_change(const struct profile *profile, enum profile_lines lines)
{
    for (uint32_t i = 0; i < profile_frame_count(profile); i++) {
        const struct profile_frame *frame = profile_frame(profile, i);
        bool has_first = frame->first_line != 0 || frame->kind == FRAME_NATIVE;
        bool is_other_line = has_first && frame->line != frame->first_line;
        bool has_line = frame->line != 0 || frame->first_line != 0;
        if ((lines == PROFILE_FUNCTION_LINE && is_other_line) || (lines == PROFILE_NO_LINE && has_line))
            return true;
    }
    return false;
}

/* What the still picture shows: the profile in the detail that is wanted, or NULL when it is that already. */
static struct error *reduce(const struct profile *profile, const struct profile_detail *detail, struct profile **ret)
{
    if (!has_groups_to_merge(profile, detail) && !has_lines_to_change(profile, detail->lines))
        return NULL;
    return profile_reduce(profile, detail, ret);
}

static struct error *write_data(const struct flamegraph_frame *frame, const struct picture *picture,
                                const struct profile *profile, FILE *out)
{
    struct error *error = picture_write_data(picture, profile, out);
    if (!error && frame->write_more_data)
        error = frame->write_more_data(frame->context, out);
    if (!error)
        write_script(frame, out);
    return error;
}

struct error *flamegraph_write_picture(const struct flamegraph_frame *frame, struct picture *picture,
                                       const struct profile *profile, FILE *out)
{
    struct error *error = write_opening(picture, frame, out);
    if (error)
        return error;
    write_style(out);
    fputs("<rect class=\"background\" width=\"100%\" height=\"100%\"/>\n", out);
    error = picture_write_boxes(picture, out);
    if (!error)
        error = picture_write_head(picture, out);
    if (!error && has_samples(picture))
        error = write_data(frame, picture, profile, out);
    if (!error)
        fputs("</svg>\n", out);
    return error;
}

struct error *flamegraph_write(const struct profile *profile, const struct format_options *options, FILE *out)
{
    return flamegraph_write_in(&(struct flamegraph_frame){0}, profile, options, out);
}

struct error *flamegraph_write_in(const struct flamegraph_frame *frame, const struct profile *profile,
                                  const struct format_options *options, FILE *out)
{
    cleanup_profile struct profile *reduced = NULL;
    cleanup_picture struct picture picture = {0};
    struct error *error = reduce(profile, &options->detail, &reduced);
    if (!error)
        error = picture_init(&picture, reduced ? reduced : profile, options);
    return error ? error : flamegraph_write_picture(frame, &picture, profile, out);
}
