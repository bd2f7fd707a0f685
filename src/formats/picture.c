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
static const double box_column = 7.3;    /* at 12 px */
static const double title_column = 9.8;  /* at 16 px */
static const double legend_column = 7.3; /* at 12 px */

static const double smallest_box = 0.5;
static const double smallest_tooltip = 1.5; /* a narrower box is hard to point at */
static const double gap_from = 2;           /* a box of this width leaves a gap to the next one */
static const double gap = 0.5;

enum {
    TITLE_BASELINE = 28,
    FACTS_BASELINE = 48,
    LEGEND_BASELINE = 70,
    LABEL_PADDING = 4,
    LABEL_BASELINE = 13,
    TOOLTIP_COLUMNS = 160,
};

static uint64_t all_samples(const struct picture *picture)
{
    return picture->tree.nodes[0].total;
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
    facts_append_selection(&picture->facts, picture->profile);
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
}

uint32_t picture_height(const struct picture *picture)
{
    if (all_samples(picture) == 0)
        return PICTURE_TOP + PICTURE_MESSAGE;
    return PICTURE_TOP + (picture->depth + 1) * PICTURE_ROW + PICTURE_BOTTOM;
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

/* Appends what a colour means, and returns where the next one begins. */
static double append_legend_item(struct buffer *out, double x, const char *class, const struct buffer *text)
{
    buffer_format(out, "<rect class=\"%s\" y=\"%d\" width=\"12\" height=\"12\"", class, LEGEND_BASELINE - 10);
    append_pixels(out, "x", x);
    buffer_append_text(out, "/>");
    append_text(out, NULL, x + 17, LEGEND_BASELINE, text, 0);
    out->failed |= text->failed;
    return x + 17 + (double)text->len * legend_column + 12;
}

static void append_families(struct buffer *out, const struct picture *picture)
{
    double x = PICTURE_MARGIN;
    for (enum colour_family family = 0; family < COLOUR_FAMILIES; family++) {
        if (!picture->legend.families[family].is_present)
            continue;
        cleanup_buffer struct buffer title = {0};
        const char class[] = {colour_family_letter(family), '0', '\0'};
        buffer_append_text(&title, colour_family_title(family));
        uint64_t self = picture->legend.families[family].self;
        if (self > 0)
            buffer_format(&title, " %.1f %%", 100.0 * (double)self / (double)all_samples(picture));
        x = append_legend_item(out, x, class, &title);
    }
}

static void append_changes(struct buffer *out)
{
    double x = PICTURE_MARGIN;
    const char *class, *text;
    for (uint32_t i = 0; picture_diff_legend(i, &class, &text); i++) {
        cleanup_buffer struct buffer title = {0};
        buffer_append_text(&title, text);
        x = append_legend_item(out, x, class, &title);
    }
}

static void append_legend(struct buffer *out, const struct picture *picture)
{
    buffer_append_text(out, "<g class=\"legend\">\n");
    if (picture->diff)
        append_changes(out);
    else
        append_families(out, picture);
    buffer_append_text(out, "</g>\n");
}

struct error *picture_write_head(struct picture *picture, FILE *out)
{
    cleanup_buffer struct buffer head = {0};
    cleanup_buffer struct buffer title = {0};
    size_t columns = caption_cut(&title, buffer_text(&picture->title), picture->title.len,
                                 (size_t)((PICTURE_WIDTH - 2 * PICTURE_MARGIN) / title_column));
    bool is_plain = caption_is_plain(buffer_text(&picture->title), picture->title.len);
    buffer_format(&head, "<g class=\"head\">\n<rect class=\"background\" width=\"100%%\" height=\"%d\"/>\n",
                  PICTURE_TOP - 2);
    append_text(&head, "title", PICTURE_MARGIN, TITLE_BASELINE, &title, is_plain ? 0 : (double)columns * title_column);
    append_text(&head, "facts", PICTURE_MARGIN, FACTS_BASELINE, &picture->facts, 0);
    if (all_samples(picture) > 0)
        append_legend(&head, picture);
    buffer_append_text(&head, "</g>\n");
    if (head.failed || title.failed || picture->title.failed || picture->facts.failed)
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
        .y = PICTURE_TOP + (double)(picture->depth - walk->depth) * PICTURE_ROW,
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

static void append_reasons(struct buffer *out, const struct profile *profile)
{
    cleanup_buffer struct buffer reasons = {0};
    buffer_append_text(&reasons, "No samples to show.\n");
    facts_append_reasons(&reasons, profile);
    out->failed |= reasons.failed;
    double y = PICTURE_TOP + PICTURE_ROW;
    const char *line = buffer_text(&reasons);
    for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
        cleanup_buffer struct buffer text = {0};
        buffer_append(&text, line, (size_t)(end - line));
        append_text(out, "message", PICTURE_MARGIN, y, &text, 0);
        y += PICTURE_ROW;
    }
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
        append_reasons(&piece, picture->profile);
        fwrite(buffer_text(&piece), 1, piece.len, out);
    }
    fputs("</g>\n", out);
    return piece.failed || picture->captions.text.failed ? error_no_memory() : NULL;
}
