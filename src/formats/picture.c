/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "colour.h"
#include "facts.h"
#include "picture_diff.h"
#include "profile/profile.h"
#include "walk.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/*
 * Widths in pixels of one column. Monospaced fonts have 0.5 to 0.602 em. Text that is not plain ASCII can come from any
 * font and be wider than its columns; where that could matter, textLength makes it as wide as them.
 */
static const double box_column = 7.3;     /* at 12 px */
static const double title_column = 9.8;   /* at 16 px */
static const double message_column = 8.5; /* at 14 px */
static const double legend_column = 7.3;  /* at 12 px */
static const double facts_column = 7.3;   /* at 12 px */

static const double smallest_box = 0.5;
static const double smallest_tooltip = 1.5; /* a narrower box is hard to point at */
static const double gap_from = 2;           /* a box of this width leaves a gap to the next one */
static const double gap = 0.5;

enum {
    TITLE_BASELINE = 28,
    FACTS_BASELINE = 48,
    LEGEND_BASELINE = 22, /* below that of the last line of facts */
    BOXES_TOP = 14,       /* below the baseline of what stands above them */
    LEGEND_SWATCH = 17,   /* and the gap to its text */
    LEGEND_GAP = 12,
    FACTS_LINES = 8, /* at most, and of reasons */
    LABEL_PADDING = 4,
    LABEL_BASELINE = 13,
    TOOLTIP_COLUMNS = 160,
};

static uint64_t all_samples(const struct picture *picture)
{
    return picture->tree.nodes[0].total;
}

uint32_t picture_width(const struct picture *picture)
{
    return all_samples(picture) > 0 ? PICTURE_WIDTH : PICTURE_EMPTY;
}

/* Columns of so many pixels that fit between the margins. */
static size_t columns_of(const struct picture *picture, double column)
{
    return (size_t)((picture_width(picture) - 2.0 * PICTURE_MARGIN) / column);
}

static double pixels_per_sample(const struct picture *picture)
{
    return (PICTURE_WIDTH - 2.0 * PICTURE_MARGIN) / (double)all_samples(picture);
}

static bool is_wide_enough(const struct picture *picture, const struct walk *walk)
{
    return (double)picture->tree.nodes[walk->node].total * pixels_per_sample(picture) >= smallest_box;
}

static struct error *find_depth(struct picture *picture)
{
    cleanup_walk struct walk walk;
    struct error *error = walk_init(&walk, &picture->tree);
    if (error || all_samples(picture) == 0)
        return error;
    bool is_wide;
    do {
        is_wide = is_wide_enough(picture, &walk);
        if (is_wide && walk.depth > picture->depth)
            picture->depth = walk.depth;
    } while (is_wide ? walk_into(&walk) : walk_past(&walk));
    return NULL;
}

static void describe(struct picture *picture)
{
    const struct profile_info *info = profile_get_info(picture->profile);
    size_t len;
    const char *title = profile_string(picture->profile, info->title, &len);
    escape_visible(&picture->title, title, len);
    if (picture->diff)
        picture_diff_append_facts(&picture->facts, picture->diff);
    else
        facts_append(&picture->facts, info, all_samples(picture));
    /* Of two recordings it is not known how many samples there were in each. */
    facts_append_selection(&picture->facts, picture->profile, picture->diff ? UINT64_MAX : all_samples(picture));
    caption_wrap(&picture->facts_lines, buffer_text(&picture->facts), picture->facts.len,
                 columns_of(picture, facts_column), FACTS_LINES);
}

static void explain(struct picture *picture)
{
    cleanup_buffer struct buffer reasons = {0};
    buffer_append_text(&reasons, "No samples to show.\n");
    facts_append_reasons(&reasons, picture->profile);
    picture->reasons.failed |= reasons.failed;
    const char *line = buffer_text(&reasons);
    for (const char *end; (end = strchr(line, '\n')); line = end + 1)
        caption_wrap(&picture->reasons, line, (size_t)(end - line), columns_of(picture, message_column), FACTS_LINES);
}

static uint32_t count_lines(const struct buffer *text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text->len; i++)
        count += text->data[i] == '\n';
    return count;
}

/* Appends ` name="pixels"` with one decimal. Not with printf's %f, which would write tenths that are zero, too. */
static void append_pixels(struct buffer *out, const char *name, double pixels)
{
    int64_t tenths = (int64_t)(pixels * 10 + 0.5);
    buffer_format(out, " %s=\"%" PRId64, name, tenths / 10);
    if (tenths % 10 != 0)
        buffer_format(out, ".%" PRId64, tenths % 10);
    buffer_append_char(out, '"');
}

/* Appends a text element, made exact_width wide when that is above 0. */
static void append_text(struct buffer *out, const char *class, double x, double y, const struct buffer *text,
                        double exact_width)
{
    buffer_append_text(out, "<text");
    if (class)
        buffer_format(out, " class=\"%s\"", class);
    append_pixels(out, "x", x);
    append_pixels(out, "y", y);
    if (exact_width > 0) {
        append_pixels(out, "textLength", exact_width);
        buffer_append_text(out, " lengthAdjust=\"spacingAndGlyphs\"");
    }
    buffer_append_char(out, '>');
    escape_xml(out, buffer_text(text), text->len);
    buffer_append_text(out, "</text>\n");
}

/* Appends each line of a text as an element. */
static void append_lines(struct buffer *out, const char *class, uint32_t baseline, const struct buffer *lines)
{
    const char *line = buffer_text(lines);
    for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
        cleanup_buffer struct buffer text = {0};
        buffer_append(&text, line, (size_t)(end - line));
        out->failed |= text.failed;
        append_text(out, class, PICTURE_MARGIN, baseline, &text, 0);
        baseline += PICTURE_ROW;
    }
}

/* Where the next colour of the legend is explained. */
struct pen {
    double x;
    uint32_t row;
    uint32_t baseline; /* of the first row */
};

/* Appends what a colour means, and moves the pen behind it; out can be NULL. */
static void append_legend_item(struct buffer *out, struct pen *pen, const char *class, const struct buffer *text)
{
    double width = LEGEND_SWATCH + (double)text->len * legend_column;
    if (pen->x > PICTURE_MARGIN && pen->x + width > PICTURE_WIDTH - PICTURE_MARGIN) {
        pen->x = PICTURE_MARGIN;
        pen->row++;
    }
    double x = pen->x;
    pen->x += width + LEGEND_GAP;
    if (!out)
        return;
    uint32_t baseline = pen->baseline + pen->row * PICTURE_ROW;
    buffer_format(out, "<rect class=\"%s\" y=\"%u\" width=\"12\" height=\"12\"", class, baseline - 10);
    append_pixels(out, "x", x);
    buffer_append_text(out, "/>");
    append_text(out, NULL, x + LEGEND_SWATCH, baseline, text, 0);
    out->failed |= text->failed;
}

static void append_families(struct buffer *out, const struct picture *picture, struct pen *pen)
{
    for (enum colour_family family = 0; family < COLOUR_FAMILIES; family++) {
        if (!picture->legend.families[family].is_present)
            continue;
        cleanup_buffer struct buffer title = {0};
        const char class[] = {colour_family_letter(family), '0', '\0'};
        buffer_append_text(&title, colour_family_title(family));
        uint64_t self = picture->legend.families[family].self;
        if (self > 0)
            buffer_format(&title, " %.1f %%", 100.0 * (double)self / (double)all_samples(picture));
        append_legend_item(out, pen, class, &title);
    }
}

static void append_changes(struct buffer *out, struct pen *pen)
{
    const char *class, *text;
    for (uint32_t i = 0; picture_diff_legend(i, &class, &text); i++) {
        cleanup_buffer struct buffer title = {0};
        buffer_append_text(&title, text);
        append_legend_item(out, pen, class, &title);
    }
}

static uint32_t legend_baseline(const struct picture *picture)
{
    uint32_t more_lines = picture->facts_lines.len > 0 ? count_lines(&picture->facts_lines) - 1 : 0;
    return FACTS_BASELINE + more_lines * PICTURE_ROW + LEGEND_BASELINE;
}

/* Appends the legend, and returns how many rows it has; out can be NULL. */
static uint32_t lay_out_legend(struct buffer *out, const struct picture *picture)
{
    struct pen pen = {.x = PICTURE_MARGIN, .baseline = legend_baseline(picture)};
    if (all_samples(picture) == 0)
        return 1;
    if (picture->diff)
        append_changes(out, &pen);
    else
        append_families(out, picture, &pen);
    return pen.row + 1;
}

static void append_legend(struct buffer *out, const struct picture *picture)
{
    buffer_append_text(out, "<g class=\"legend\">\n");
    lay_out_legend(out, picture);
    buffer_append_text(out, "</g>\n");
}

struct error *picture_init_diff(struct picture *picture, const struct profile *profile,
                                const struct format_options *options, const struct picture_diff *diff)
{
    *picture = (struct picture){.profile = profile, .options = options, .diff = diff};
    struct error *error = calltree_init(&picture->tree, profile);
    if (error)
        return error;
    picture->frame_limit = profile_frame_count(profile);
    error = captions_init(&picture->captions, profile, picture->frame_limit, options);
    if (!error)
        error = legend_fill(&picture->legend, profile, &picture->tree, picture->frame_limit);
    if (error)
        return error;
    describe(picture);
    if (all_samples(picture) == 0)
        explain(picture);
    picture->top = legend_baseline(picture) + (lay_out_legend(NULL, picture) - 1) * PICTURE_ROW + BOXES_TOP;
    return find_depth(picture);
}

struct error *picture_init(struct picture *picture, const struct profile *profile, const struct format_options *options)
{
    return picture_init_diff(picture, profile, options, NULL);
}

void picture_deinit(struct picture *picture)
{
    calltree_deinit(&picture->tree);
    captions_deinit(&picture->captions);
    buffer_deinit(&picture->title);
    buffer_deinit(&picture->facts);
    buffer_deinit(&picture->facts_lines);
    buffer_deinit(&picture->reasons);
}

uint32_t picture_height(const struct picture *picture)
{
    uint32_t rows = all_samples(picture) > 0 ? picture->depth + 1 : count_lines(&picture->reasons) + 1;
    return picture->top + rows * PICTURE_ROW + PICTURE_BOTTOM;
}

struct error *picture_write_head(struct picture *picture, FILE *out)
{
    cleanup_buffer struct buffer head = {0};
    cleanup_buffer struct buffer title = {0};
    size_t columns =
        caption_cut(&title, buffer_text(&picture->title), picture->title.len, columns_of(picture, title_column));
    bool is_plain = caption_is_plain(buffer_text(&picture->title), picture->title.len);
    buffer_format(&head, "<g class=\"head\">\n<rect class=\"background\" width=\"100%%\" height=\"%u\"/>\n",
                  picture->top - 2);
    append_text(&head, "title", PICTURE_MARGIN, TITLE_BASELINE, &title, is_plain ? 0 : (double)columns * title_column);
    append_lines(&head, "facts", FACTS_BASELINE, &picture->facts_lines);
    if (all_samples(picture) > 0)
        append_legend(&head, picture);
    buffer_append_text(&head, "</g>\n");
    if (head.failed || title.failed || picture->title.failed || picture->facts.failed || picture->facts_lines.failed)
        return error_no_memory();
    fwrite(head.data, 1, head.len, out);
    return NULL;
}

static void append_share(struct buffer *out, const struct picture *picture, uint64_t total)
{
    facts_append_count(out, total);
    buffer_format(out, " sample%s, %.2f %%", total == 1 ? "" : "s",
                  100.0 * (double)total / (double)all_samples(picture));
}

/* What browsers show for a box when scripts are blocked. */
static void append_tooltip(struct buffer *out, const struct picture *picture, const struct caption *caption,
                           uint32_t node)
{
    cleanup_buffer struct buffer text = {0};
    caption_cut(&text, buffer_text(&picture->captions.text) + caption->offset, caption->len, TOOLTIP_COLUMNS);
    buffer_append_text(&text, "\n");
    if (picture->diff)
        picture_diff_append_details(&text, picture->diff, node);
    else
        append_share(&text, picture, picture->tree.nodes[node].total);
    buffer_append_text(out, "<title>");
    escape_xml(out, buffer_text(&text), text.len);
    buffer_append_text(out, "</title>");
    out->failed |= text.failed;
}

/* Where a box stands. The width leaves out the gap to the next box. */
struct place {
    double x, y, width;
};

static struct place place_of(const struct picture *picture, const struct walk *walk)
{
    double width = (double)picture->tree.nodes[walk->node].total * pixels_per_sample(picture);
    return (struct place){
        .x = PICTURE_MARGIN + (double)walk->start * pixels_per_sample(picture),
        .y = picture->top + (double)(picture->depth - walk->depth) * PICTURE_ROW,
        .width = width - (width >= gap_from ? gap : 0),
    };
}

static void append_label(struct buffer *out, const struct picture *picture, const struct caption *caption,
                         const struct place *place)
{
    double label_width = place->width - 2.0 * LABEL_PADDING;
    if (label_width <= 0)
        return;
    cleanup_buffer struct buffer label = {0};
    size_t columns = captions_fit(&picture->captions, caption, (size_t)(label_width / box_column), &label);
    double fitted_width = (double)columns * box_column;
    bool is_safe = caption->is_plain || 2 * fitted_width <= label_width;
    if (columns > 0)
        append_text(out, NULL, place->x + LABEL_PADDING, place->y + LABEL_BASELINE, &label, is_safe ? 0 : fitted_width);
    out->failed |= label.failed;
}

static void append_class(struct buffer *out, const struct picture *picture, uint32_t node)
{
    if (picture->diff) {
        buffer_append_text(out, picture_diff_class(picture->diff, node));
        return;
    }
    struct colour colour = colour_of_frame(picture->profile, picture->tree.nodes[node].frame);
    buffer_format(out, "%c%u", colour_family_letter(colour.family), colour.shade);
}

static void append_box(struct buffer *out, struct picture *picture, const struct walk *walk)
{
    const struct caption *caption = captions_get(&picture->captions, picture->tree.nodes[walk->node].frame);
    struct place place = place_of(picture, walk);
    buffer_append_text(out, "<rect class=\"");
    append_class(out, picture, walk->node);
    buffer_append_char(out, '"');
    append_pixels(out, "x", place.x);
    append_pixels(out, "y", place.y);
    append_pixels(out, "width", place.width);
    buffer_format(out, " height=\"%d\">", PICTURE_ROW - 1);
    if (place.width >= smallest_tooltip)
        append_tooltip(out, picture, caption, walk->node);
    buffer_append_text(out, "</rect>\n");
    append_label(out, picture, caption, &place);
}

static void write_boxes(struct picture *picture, struct walk *walk, struct buffer *piece, FILE *out)
{
    bool is_wide;
    do {
        is_wide = is_wide_enough(picture, walk);
        if (is_wide) {
            buffer_clear(piece);
            append_box(piece, picture, walk);
            fwrite(buffer_text(piece), 1, piece->len, out);
        }
    } while (is_wide ? walk_into(walk) : walk_past(walk));
}

struct error *picture_write_boxes(struct picture *picture, FILE *out)
{
    cleanup_buffer struct buffer piece = {0};
    cleanup_walk struct walk walk;
    struct error *error = walk_init(&walk, &picture->tree);
    if (error)
        return error;
    fputs("<g class=\"boxes\">\n", out);
    if (all_samples(picture) > 0) {
        write_boxes(picture, &walk, &piece, out);
    } else {
        append_lines(&piece, "message", picture->top + PICTURE_ROW, &picture->reasons);
        piece.failed |= picture->reasons.failed;
        fwrite(buffer_text(&piece), 1, piece.len, out);
    }
    fputs("</g>\n", out);
    return piece.failed || picture->captions.text.failed ? error_no_memory() : NULL;
}
