/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "caption.h"
#include "facts.h"
#include "formats/formats.h"
#include "functions.h"
#include "profile/profile.h"

#include <string.h>

static const double ns_per_second = 1e9;

enum { TITLE_WIDTH = 10, LEFT_WIDTH = 24, FACT_COUNT = 4 };

struct fact {
    const char *title;
    struct buffer text;
};

static void tell_cpu(struct buffer *out, const struct profile_info *info)
{
    if (info->cpu_ns == 0)
        return;
    buffer_format(out, "%.2fs", (double)info->cpu_ns / ns_per_second);
    if (info->duration_ns > 0)
        buffer_format(out, " (%.0f%%)", 100.0 * (double)info->cpu_ns / (double)info->duration_ns);
}

static void tell_lost_part(struct buffer *out, uint64_t count, const char *how)
{
    if (count == 0)
        return;
    if (out->len > 0)
        buffer_append_text(out, ", ");
    facts_append_count(out, count);
    buffer_format(out, " %s", how);
}

static void tell_lost(struct buffer *out, const struct profile_info *info)
{
    const struct profile_intervals *intervals = &info->intervals;
    uint64_t lost = intervals->torn + intervals->unreadable + intervals->missed;
    tell_lost_part(out, intervals->torn, "torn");
    tell_lost_part(out, intervals->unreadable, "unreadable");
    tell_lost_part(out, intervals->missed, "missed");
    if (lost == 0)
        buffer_append_text(out, "none");
    else
        buffer_format(out, " (%.2g%%)", 100.0 * (double)lost / (double)facts_count_intervals(intervals));
}

static void append_intervals(struct report *report, const struct profile_intervals *intervals)
{
    cleanup_buffer struct buffer text = {0}, warning = {0};
    uint64_t all = facts_count_intervals(intervals);
    if (all == 0)
        return;
    facts_append_warning(&warning, intervals);
    if (warning.len > 0)
        report_write_text(report, PAINT_HOT, &warning);
    buffer_append_text(&text, "of ");
    facts_append_count(&text, all);
    buffer_append_text(&text, " intervals: ");
    facts_append_intervals(&text, intervals);
    report_write_text(report, PAINT_FAINT, &text);
    report->line.failed |= text.failed || warning.failed;
}

static void tell_samples(struct buffer *out, const struct report *report, const struct profile_info *info)
{
    facts_append_count(out, report->whole);
    if (info->interval_ns > 0)
        buffer_format(out, " (%.6g a second)", ns_per_second / (double)info->interval_ns);
}

/* Two columns where there is room. */
static void append_facts(struct report *report, struct fact facts[FACT_COUNT])
{
    uint32_t width = report->options->tree.width;
    size_t right = TITLE_WIDTH + utf8_text_columns(buffer_text(&facts[1].text), facts[1].text.len);
    size_t last = TITLE_WIDTH + utf8_text_columns(buffer_text(&facts[3].text), facts[3].text.len);
    bool is_narrow = width > 0 && TITLE_WIDTH + LEFT_WIDTH + (right > last ? right : last) > width;
    size_t in_line = 0;
    for (size_t i = 0; i < FACT_COUNT; i++) {
        if (facts[i].text.len == 0)
            continue;
        cleanup_buffer struct buffer title = {0};
        buffer_format(&title, "%-*s", TITLE_WIDTH, facts[i].title);
        report_append(report, PAINT_FAINT, buffer_text(&title), title.len);
        report->line.failed |= title.failed;
        report_append(report, PAINT_PLAIN, buffer_text(&facts[i].text), facts[i].text.len);
        bool goes_on = !is_narrow && i % 2 == 0;
        in_line = goes_on ? facts[i].text.len : 0;
        if (goes_on)
            report_append_spaces(report, in_line < LEFT_WIDTH ? LEFT_WIDTH - in_line : 2);
        else
            report_end_line(report);
    }
}

static void append_title(struct report *report)
{
    uint32_t width = report->options->tree.width;
    cleanup_buffer struct buffer title = {0}, cut = {0};
    report_show_string(report, &title, profile_get_info(report->profile)->title);
    report->line.failed |= title.failed;
    if (title.len == 0)
        return;
    caption_cut(&cut, buffer_text(&title), title.len, width > 0 ? width : title.len);
    report_append(report, PAINT_STRONG, buffer_text(&cut), cut.len);
    report_end_line(report);
    report->line.failed |= cut.failed;
}

static uint32_t count_threads(const struct report *report)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < profile_frame_count(report->profile); i++)
        count += profile_frame(report->profile, i)->kind == FRAME_THREAD;
    return count;
}

/* What is in view of the recording, when that is not all of it. */
static void tell_selection(struct buffer *out, const struct report *report, const struct profile_info *info)
{
    if (info->all_samples > report->whole) {
        buffer_append_text(out, "; shown of ");
        facts_append_count(out, info->all_samples);
        buffer_append_text(out, " samples");
    } else if (info->selection != PROFILE_NONE) {
        buffer_append_text(out, "; shown");
    }
    if (info->selection == PROFILE_NONE)
        return;
    buffer_append_text(out, ": ");
    report_show_string(report, out, info->selection);
}

static void append_measure(struct report *report, const struct profile_info *info)
{
    cleanup_buffer struct buffer text = {0};
    uint32_t threads = count_threads(report);
    buffer_append_text(&text, "100% is ");
    report_show_time(report, &text, report->whole);
    buffer_append_text(&text, info->interval_ns > 0 ? ", the sum of all samples" : " samples");
    if (threads > 1)
        buffer_format(&text, " of %u threads", threads);
    if (info->intervals.idle > 0 && info->interval_ns > 0)
        buffer_format(&text, "; %.*fs idle not counted (-i does)", report->decimals,
                      (double)info->intervals.idle * (double)info->interval_ns / ns_per_second);
    tell_selection(&text, report, info);
    report_write_text(report, PAINT_FAINT, &text);
}

/* Why there is nothing to show. */
static void append_reasons(struct report *report)
{
    cleanup_buffer struct buffer text = {0};
    buffer_append_text(&text, "no samples\n");
    facts_append_reasons(&text, report->profile);
    for (const char *at = buffer_text(&text); *at != '\0';) {
        cleanup_buffer struct buffer line = {0};
        size_t len = strcspn(at, "\n");
        buffer_append(&line, at, len);
        report_write_text(report, PAINT_PLAIN, &line);
        at += len + 1;
    }
    report->line.failed |= text.failed;
}

void report_head(struct report *report)
{
    const struct profile_info *info = profile_get_info(report->profile);
    struct fact facts[FACT_COUNT] = {
        {.title = "Duration"}, {.title = "Samples"}, {.title = "CPU time"}, {.title = "Lost"}};
    append_title(report);
    buffer_format(&facts[0].text, "%.2fs", (double)info->duration_ns / ns_per_second);
    tell_samples(&facts[1].text, report, info);
    tell_cpu(&facts[2].text, info);
    tell_lost(&facts[3].text, info);
    append_facts(report, facts);
    for (size_t i = 0; i < FACT_COUNT; i++) {
        report->line.failed |= facts[i].text.failed;
        buffer_deinit(&facts[i].text);
    }
    append_intervals(report, &info->intervals);
    if (report->whole > 0)
        append_measure(report, info);
    else
        append_reasons(report);
    if (report->whole > 0)
        report_end_line(report);
}
