/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "base/escape.h"
#include "base/utf8.h"
#include "caption.h"
#include "facts.h"
#include "formats/formats.h"
#include "profile/profile.h"

#include <string.h>

static const char ellipsis[] = "…";
static const char arrow[] = " → ";

enum {
    DECIMALS_LIMIT = 6,
    PERCENT_WIDTH = 4,
    LABEL_WIDTH_LIMIT = 64, /* columns */
    SMALLEST_PLACE = 20,    /* columns that places get before labels are cut */
};

void report_show_time(const struct report *report, struct buffer *out, uint64_t samples)
{
    uint64_t interval_ns = profile_get_info(report->profile)->interval_ns;
    if (interval_ns == 0)
        facts_append_count(out, samples);
    else
        buffer_format(out, "%.*fs", report->decimals, (double)samples * (double)interval_ns / 1e9);
}

/* As pyinstrument has it: 2 for an interval of 10 ms, 3 for one of 1 ms. */
static int count_decimals(uint64_t interval_ns)
{
    int decimals = 0;
    for (uint64_t unit_ns = 1000000000; interval_ns < unit_ns && decimals < DECIMALS_LIMIT; unit_ns /= 10)
        decimals++;
    return decimals;
}

void report_init(struct report *report, const struct profile *profile, const struct functions *functions,
                 const struct format_options *options, uint64_t whole, FILE *out)
{
    *report =
        (struct report){.profile = profile, .functions = functions, .options = options, .whole = whole, .out = out};
    report->decimals = count_decimals(profile_get_info(profile)->interval_ns);
    report_show_time(report, &report->line, whole);
    report->time_width = report->line.len;
    buffer_clear(&report->line);
}

bool report_deinit(struct report *report)
{
    bool failed = report->line.failed;
    buffer_deinit(&report->line);
    return failed;
}

void report_append(struct report *report, enum paint paint, const char *text, size_t len)
{
    static const char *const codes[] = {
        [PAINT_STRONG] = "1", [PAINT_FAINT] = "2", [PAINT_HOT] = "1;31", [PAINT_WARM] = "33", [PAINT_MILD] = "32",
    };
    bool is_painted = paint != PAINT_PLAIN && report->options->tree.use_colour && len > 0;
    if (is_painted)
        buffer_format(&report->line, "\033[%sm", codes[paint]);
    buffer_append(&report->line, text, len);
    if (is_painted)
        buffer_append_text(&report->line, "\033[0m");
}

void report_append_text(struct report *report, enum paint paint, const char *text)
{
    report_append(report, paint, text, strlen(text));
}

void report_append_spaces(struct report *report, size_t count)
{
    buffer_format(&report->line, "%*s", (int)count, "");
}

static double percent_of(const struct report *report, uint64_t samples)
{
    return report->whole == 0 ? 0 : 100.0 * (double)samples / (double)report->whole;
}

/* The steps of pyinstrument's console. */
static enum paint paint_of(double percent)
{
    if (percent > 60)
        return PAINT_HOT;
    if (percent > 20)
        return PAINT_WARM;
    return percent > 5 ? PAINT_MILD : PAINT_FAINT;
}

static void append_percent(struct buffer *out, double percent)
{
    if (percent >= 0.95 || percent == 0)
        buffer_format(out, "%*.0f%%", PERCENT_WIDTH - 1, percent);
    else if (percent >= 0.1)
        buffer_format(out, "%*.1f%%", PERCENT_WIDTH - 1, percent);
    else
        buffer_append_text(out, "<.1%");
}

size_t report_amount_columns(const struct report *report)
{
    return report->options->tree.with_percent ? PERCENT_WIDTH : report->time_width + strlen("  ") + PERCENT_WIDTH;
}

void report_append_amount(struct report *report, uint64_t samples)
{
    double percent = percent_of(report, samples);
    cleanup_buffer struct buffer text = {0};
    if (!report->options->tree.with_percent) {
        report_show_time(report, &text, samples);
        report_append_spaces(report, report->time_width > text.len ? report->time_width - text.len : 0);
        buffer_append_text(&text, "  ");
    }
    append_percent(&text, percent);
    report_append(report, paint_of(percent), buffer_text(&text), text.len);
    report->line.failed |= text.failed;
}

/* What stands for a character in ASCII: as many columns for those that lines are made of. */
static char ascii_of(int32_t code)
{
    switch (code) {
    case 0x2502: /* │ */
    case 0x251c: /* ├ */
        return '|';
    case 0x2514: /* └ */
        return '`';
    case 0x2500: /* ─ */
        return '-';
    case 0xd7: /* × */
        return 'x';
    case 0x2192: /* → */
        return '>';
    case 0x2026: /* … */
        return '~';
    default:
        return code > 0 && code < 0x80 ? (char)code : '?';
    }
}

static void write_ascii(const struct buffer *line, FILE *out)
{
    const char *at = buffer_text(line);
    for (const char *end = at + line->len; at < end;)
        putc(ascii_of(utf8_next(&at, end)), out);
}

void report_end_line(struct report *report)
{
    while (report->line.len > 0 && report->line.data[report->line.len - 1] == ' ')
        report->line.data[--report->line.len] = '\0';
    if (report->options->tree.use_ascii)
        write_ascii(&report->line, report->out);
    else
        fwrite(buffer_text(&report->line), 1, report->line.len, report->out);
    putc('\n', report->out);
    buffer_clear(&report->line);
}

void report_write_text(struct report *report, enum paint paint, const struct buffer *text)
{
    const char *at = buffer_text(text);
    size_t left = text->len;
    report->line.failed |= text->failed;
    while (left > 0) {
        size_t len = left;
        uint32_t width = report->options->tree.width;
        if (width > 0 && utf8_text_columns(at, left) > width) {
            size_t fits = utf8_prefix(at, left, width);
            const char *space = memrchr(at, ' ', fits);
            len = space && space > at ? (size_t)(space - at) : fits;
        }
        len = len > 0 ? len : left;
        report_append(report, paint, at, len);
        report_end_line(report);
        len += len < left && at[len] == ' ';
        at += len;
        left -= len;
    }
}

void report_show(const struct report *report, struct buffer *out, const char *text, size_t len)
{
    if (!report->options->tree.use_ascii) {
        escape_visible(out, text, len);
        return;
    }
    cleanup_buffer struct buffer visible = {0};
    escape_visible(&visible, text, len);
    const char *at = buffer_text(&visible);
    for (const char *end = at + visible.len; at < end;) {
        int32_t code = utf8_next(&at, end);
        if (code < 0x80)
            buffer_append_char(out, (char)code);
        else
            buffer_format(out, "\\u{%x}", (unsigned)code);
    }
    out->failed |= visible.failed;
}

void report_show_string(const struct report *report, struct buffer *out, uint32_t string)
{
    size_t len;
    const char *text = profile_string(report->profile, string, &len);
    report_show(report, out, text, len);
}

void report_show_name(const struct report *report, struct buffer *out, uint32_t frame)
{
    size_t start = out->len;
    report_show_string(report, out, profile_frame(report->profile, frame)->name);
    if (out->len == start)
        buffer_append_text(out, "(no name)");
}

static void show_file(const struct report *report, struct place *place, const struct profile_frame *frame)
{
    bool is_full = report->options->full_filenames;
    report_show_string(report, &place->text, is_full ? frame->file : profile_short_file(report->profile, frame->file));
    const char *text = buffer_text(&place->text);
    const char *slash = memrchr(text, '/', place->text.len);
    place->base = slash ? (size_t)(slash + 1 - text) : 0;
}

/* Shows the file of a frame; false when it has none, and where else it is was said. */
static bool show_place(const struct report *report, struct place *place, const struct profile_frame *frame)
{
    if (frame->kind == FRAME_KERNEL)
        buffer_append_text(&place->text, "kernel");
    if (!profile_frame_has_file(report->profile, frame))
        return false;
    show_file(report, place, frame);
    return true;
}

void report_show_function(const struct report *report, struct place *place, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(report->profile, frame);
    if (!show_place(report, place, seen))
        return;
    if (seen->first_line != 0)
        buffer_format(&place->text, ":%d", seen->first_line);
    if (seen->line == 0 || seen->line == seen->first_line)
        return;
    if (seen->first_line != 0)
        place->hot = place->text.len;
    buffer_format(&place->text, "%s%d", seen->first_line != 0 ? arrow : ":", seen->line);
}

void report_show_line(const struct report *report, struct place *place, uint32_t frame)
{
    const struct profile_frame *seen = profile_frame(report->profile, frame);
    if (!show_place(report, place, seen))
        return;
    if (seen->line != 0)
        buffer_format(&place->text, ":%d", seen->line);
}

size_t report_label_width(const struct report *report, size_t amounts, size_t widest_label, size_t widest_place)
{
    uint32_t width = report->options->tree.width;
    if (width == 0)
        return widest_label < LABEL_WIDTH_LIMIT ? widest_label : LABEL_WIDTH_LIMIT;
    size_t room = width > amounts + REPORT_GAP ? width - amounts - REPORT_GAP : 0;
    size_t places = room / 3 > SMALLEST_PLACE ? room / 3 : SMALLEST_PLACE;
    places = places < widest_place ? places : widest_place;
    size_t labels = room > places ? room - places : 0;
    return widest_label < labels ? widest_label : labels;
}

void report_append_cut(struct report *report, enum paint paint, const struct buffer *text, size_t columns)
{
    cleanup_buffer struct buffer cut = {0};
    if (columns > 0)
        caption_cut(&cut, buffer_text(text), text->len, columns);
    report_append(report, paint, buffer_text(&cut), cut.len);
    report->line.failed |= cut.failed;
}

/* As many of the last folders as there is room for behind something that says that there are more. */
static void append_last_folders(struct report *report, const struct place *place, size_t columns)
{
    cleanup_buffer struct buffer cut = {0};
    const char *text = buffer_text(&place->text);
    const char *base = text + place->base;
    const char *start = text + place->text.len - utf8_suffix(text, place->text.len, columns - 1);
    const char *slash = start < base ? memchr(start, '/', (size_t)(base - start)) : NULL;
    if (slash)
        buffer_append_text(&cut, ellipsis);
    buffer_append_text(&cut, slash ? slash : base);
    report_append(report, PAINT_FAINT, buffer_text(&cut), cut.len);
    report->line.failed |= cut.failed;
}

static void append_fitting(struct report *report, const struct place *place, size_t columns)
{
    const char *text = buffer_text(&place->text);
    const char *base = text + place->base;
    if (utf8_text_columns(text, place->text.len) <= columns)
        report_append(report, PAINT_FAINT, text, place->text.len);
    else if (utf8_text_columns(base, place->text.len - place->base) <= columns)
        append_last_folders(report, place, columns);
    else if (place->hot > 0 && utf8_text_columns(base, place->hot - place->base) <= columns)
        report_append(report, PAINT_FAINT, base, place->hot - place->base);
}

void report_append_place(struct report *report, const struct place *place, size_t used, size_t column)
{
    uint32_t width = report->options->tree.width;
    size_t start = (used < column ? column : used) + REPORT_GAP;
    if (place->text.len == 0 || (width > 0 && start >= width))
        return;
    report_append_spaces(report, start - used);
    append_fitting(report, place, width > 0 ? width - start : SIZE_MAX);
}
