/* SPDX-License-Identifier: MIT */
/*
 * What the text tree and the flat table have in common: amounts of time, names, places and colours, put together to
 * lines. Text is composed in UTF-8; where only ASCII is wanted, a line is changed when it ends.
 */
#ifndef FORMATS_REPORT_H
#define FORMATS_REPORT_H

#include "base/buffer.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct format_options;
struct functions;
struct profile;

enum paint { PAINT_PLAIN, PAINT_STRONG, PAINT_FAINT, PAINT_HOT, PAINT_WARM, PAINT_MILD };

struct report {
    const struct profile *profile;
    const struct functions *functions;
    const struct format_options *options;
    uint64_t whole;    /* samples that are 100 % */
    int decimals;      /* of seconds; as fine as the interval, no finer */
    size_t time_width; /* columns of an amount of time */
    struct buffer line;
    FILE *out;
};

/* `file:line`, with what can be cut off. */
struct place {
    struct buffer text;
    size_t base; /* where the file's own name begins, behind the folders */
    size_t hot;  /* where the hot line's part begins; 0: there is none */
};

void report_init(struct report *report, const struct profile *profile, const struct functions *functions,
                 const struct format_options *options, uint64_t whole, FILE *out);

/* Tells whether memory ran out: what was written is not complete then. */
bool report_deinit(struct report *report);

/* Append to the line. */
void report_append(struct report *report, enum paint paint, const char *text, size_t len);
void report_append_text(struct report *report, enum paint paint, const char *text);
void report_append_spaces(struct report *report, size_t count);

/* The amount in seconds and in per cent, as far as they are wanted, in report_amount_columns() columns. */
void report_append_amount(struct report *report, uint64_t samples);
size_t report_amount_columns(const struct report *report);

/* Columns between amounts, labels and places. */
enum { REPORT_GAP = 2 };

/*
 * How many columns labels get, behind so many for amounts: what the widest one needs, as far as there is room for
 * places beside it, and as far as it does not move everybody else's place far to the right.
 */
size_t report_label_width(const struct report *report, size_t amounts, size_t widest_label, size_t widest_place);

/*
 * Appends a place in this column, or further right when the line has used more. It is cut to the width: folders go
 * first, then the hot line, and what does not fit without them goes as a whole.
 */
void report_append_place(struct report *report, const struct place *place, size_t used, size_t column);

/* Appends a text of which the middle is left out where it has more columns than these. */
void report_append_cut(struct report *report, enum paint paint, const struct buffer *text, size_t columns);

/* Writes the line, and begins another one. */
void report_end_line(struct report *report);

/* Writes a text, in as many lines as it needs. */
void report_write_text(struct report *report, enum paint paint, const struct buffer *text);

/* Appends a text of the target, made harmless. */
void report_show(const struct report *report, struct buffer *out, const char *text, size_t len);
void report_show_string(const struct report *report, struct buffer *out, uint32_t string);

/* A frame's name, which is never empty. */
void report_show_name(const struct report *report, struct buffer *out, uint32_t frame);

/* Where a function begins, and the line that is hot in it when that is known and another one; see report_legend. */
void report_show_function(const struct report *report, struct place *place, uint32_t frame);

/* Where a frame is. */
void report_show_line(const struct report *report, struct place *place, uint32_t frame);

/* "4.80s", or a number of samples when it is not known how long one is. */
void report_show_time(const struct report *report, struct buffer *out, uint64_t samples);

/* What was recorded, in lines of its own. */
void report_head(struct report *report);

#endif
