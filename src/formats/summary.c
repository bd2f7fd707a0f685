/* SPDX-License-Identifier: MIT */
/* Two tables of functions by self time: the whole one (--self), and its first rows for the end of a recording. */
#include "formats/summary.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "caption.h"
#include "flat.h"
#include "formats/formats.h"
#include "functions.h"
#include "profile/profile.h"
#include "report.h"

enum { SUMMARY_ROWS = 5 };

struct flat_table {
    struct report report;
    struct functions functions;
    struct flat flat;
    uint32_t row_count; /* that are shown */
    size_t name_width;
};

static void flat_table_deinit(struct flat_table *table)
{
    functions_deinit(&table->functions);
    flat_deinit(&table->flat);
}

static struct error *flat_table_init(struct flat_table *table, const struct profile *profile,
                                     const struct format_options *options, FILE *out)
{
    *table = (struct flat_table){0};
    struct error *error = functions_init(&table->functions, profile, NULL);
    if (!error)
        error = flat_init(&table->flat, profile, &table->functions);
    if (!error)
        report_init(&table->report, profile, &table->functions, options, table->flat.whole, out);
    return error;
}

static void show_place(const struct flat_table *table, const struct flat_row *row, struct place *place)
{
    uint32_t frame = table->functions.functions[row->function].frame;
    report_show_function(&table->report, place, row->self_frame != PROFILE_NONE ? row->self_frame : frame);
}

static size_t amounts_columns(const struct flat_table *table)
{
    return 2 * (report_amount_columns(&table->report) + REPORT_GAP);
}

/* How many columns names get: what they need, as far as places have room beside them. */
static void measure(struct flat_table *table)
{
    size_t widest_name = 0, widest_place = 0;
    for (uint32_t i = 0; i < table->row_count; i++) {
        const struct flat_row *row = &table->flat.rows[i];
        cleanup_buffer struct buffer name = {0};
        struct place place = {0};
        report_show_name(&table->report, &name, table->functions.functions[row->function].frame);
        show_place(table, row, &place);
        size_t columns = utf8_text_columns(buffer_text(&name), name.len);
        size_t place_columns = utf8_text_columns(buffer_text(&place.text), place.text.len);
        widest_name = columns > widest_name ? columns : widest_name;
        widest_place = place_columns > widest_place ? place_columns : widest_place;
        buffer_deinit(&place.text);
    }
    table->name_width = report_label_width(&table->report, amounts_columns(table), widest_name, widest_place);
}

static void write_titles(struct flat_table *table)
{
    struct report *report = &table->report;
    cleanup_buffer struct buffer titles = {0};
    int columns = (int)report_amount_columns(report);
    buffer_format(&titles, "%*s%*s%*s%*sfunction", columns, "self", REPORT_GAP, "", columns, "total", REPORT_GAP, "");
    report_append(report, PAINT_FAINT, buffer_text(&titles), titles.len);
    report->line.failed |= titles.failed;
    report_end_line(report);
}

static void write_row(struct flat_table *table, const struct flat_row *row)
{
    struct report *report = &table->report;
    const struct function *function = &table->functions.functions[row->function];
    cleanup_buffer struct buffer name = {0};
    struct place place = {0};
    report_show_name(report, &name, function->frame);
    show_place(table, row, &place);
    report_append_amount(report, row->self);
    report_append_spaces(report, REPORT_GAP);
    report_append_amount(report, row->total);
    report_append_spaces(report, REPORT_GAP);
    size_t amounts = amounts_columns(table);
    size_t columns = utf8_text_columns(buffer_text(&name), name.len);
    size_t room = report->options->tree.width > amounts ? report->options->tree.width - amounts : 1;
    if (report->options->tree.width == 0 || room > columns)
        room = columns;
    report_append_cut(report, function->class == FUNCTION_OWN ? PAINT_STRONG : PAINT_PLAIN, &name, room);
    report_append_place(report, &place, amounts + room, amounts + table->name_width);
    report_end_line(report);
    report->line.failed |= name.failed || place.text.failed;
    buffer_deinit(&place.text);
}

static void write_table(struct flat_table *table)
{
    measure(table);
    write_titles(table);
    for (uint32_t i = 0; i < table->row_count; i++)
        write_row(table, &table->flat.rows[i]);
}

/* Rows are sorted, so that small ones are the last ones. */
static uint32_t count_large(const struct flat *flat, double min_percent)
{
    uint32_t count = 0;
    while (count < flat->count && flat->rows[count].self > 0 &&
           (double)flat->rows[count].self * 100 >= min_percent * (double)flat->whole)
        count++;
    return count;
}

static void write_small_count(struct flat_table *table, uint32_t count)
{
    struct report *report = &table->report;
    if (count == 0)
        return;
    cleanup_buffer struct buffer text = {0};
    buffer_format(&text, "not shown: %u function%s below %g%% self (--min-percent 0)", count, count == 1 ? "" : "s",
                  report->options->tree.min_percent);
    report_end_line(report);
    report_write_text(report, PAINT_FAINT, &text);
}

struct error *flat_write(const struct profile *profile, const struct format_options *options, FILE *out)
{
    struct flat_table table __attribute__((cleanup(flat_table_deinit))) = {0};
    struct error *error = flat_table_init(&table, profile, options, out);
    if (error)
        return error;
    struct report *report = &table.report;
    table.row_count = count_large(&table.flat, options->tree.min_percent);
    report_head(report);
    if (table.flat.whole > 0)
        write_table(&table);
    write_small_count(&table, count_large(&table.flat, 0) - table.row_count);
    return report_deinit(report) ? error_no_memory() : NULL;
}

struct error *summary_write(const struct profile *profile, const struct format_options *options, FILE *out)
{
    struct flat_table table __attribute__((cleanup(flat_table_deinit))) = {0};
    struct error *error = flat_table_init(&table, profile, options, out);
    if (error)
        return error;
    uint32_t all = count_large(&table.flat, 0);
    table.row_count = all < SUMMARY_ROWS ? all : SUMMARY_ROWS;
    if (table.row_count > 0)
        write_table(&table);
    return report_deinit(&table.report) ? error_no_memory() : NULL;
}
