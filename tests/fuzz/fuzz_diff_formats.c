/* SPDX-License-Identifier: MIT */
/*
 * Two profiles out of the input, compared: byte 0 has the format, bytes 1 and 2 the options. A flame graph is read by
 * libxml2; a table is text that a terminal takes for nothing else.
 *
 * For: src/profile/diff.c src/profile/growth.c src/formats/diff_table.c src/formats/diff_flamegraph.c
 * For: src/formats/picture_diff.c src/formats/growth_text.c
 * Options: -max_len=1024
 */
#include "formats/diff_formats.h"

#include "base/buffer.h"
#include "formats/growth_text.h"
#include "pictures.h"
#include "profile/diff.h"
#include "profile/growth.h"
#include "profiles.h"

#include <stdio.h>

static struct diff *compare(struct input *input)
{
    static int before_fd = -1, after_fd = -1;
    uint8_t bits = input_byte(input);
    const struct diff_options options = {
        .lines = bits % 3,
        .measure = bits & 4 ? DIFF_SECONDS : DIFF_SHARES,
        .with_threads = bits & 8,
        .with_processes = bits & 16,
        .with_full_files = bits & 32,
        .without_lines = bits & 64,
    };
    cleanup_recording_file struct recording_file *before_file = profiles_record(input, &before_fd);
    cleanup_recording_file struct recording_file *after_file = profiles_record(input, &after_fd);
    cleanup_view struct view *before_view = NULL, *after_view = NULL;
    check(!view_create(before_file, &(struct view_options){0}, &before_view));
    check(!view_create(after_file, &(struct view_options){0}, &after_view));
    struct diff_source before, after;
    struct diff *diff = NULL;
    check(!diff_source_init(&before, before_view) && !diff_source_init(&after, after_view));
    error_destroy(diff_create(&before, &after, &options, &diff));
    return diff;
}

static void write_growth(const struct diff *diff)
{
    cleanup_free uint32_t *frames = NULL;
    uint32_t count;
    check(!growth_find(diff, GROWTH_TOTAL, 1, &frames, &count) && count <= diff->frame_count);
    for (uint32_t i = 0; i < count; i++) {
        cleanup_buffer struct buffer text = {0};
        growth_text_append(&text, diff, i % GROWTH_KINDS, frames[i], i % 2);
        texts_check(buffer_text(&text), text.len, "");
    }
    double least = growth_least(diff, 10);
    check(least >= 0 && least <= 90);
}

/* The diff as one of the formats says it; NULL where the two cannot be compared. */
static char *write_diff(struct input *input, struct diff_format_options *ret_options, bool *ret_is_table,
                        size_t *ret_len)
{
    *ret_is_table = input_byte(input) % 4 > 0; /* it takes much less time */
    uint8_t bits = input_byte(input);
    *ret_options = (struct diff_format_options){
        .full_filenames = bits & 1,
        .rows = bits & 2 ? 2 : 20,
        .with_noise = bits & 4,
        .with_colours = bits & 8,
        .columns = bits & 16 ? 30 : 0,
    };
    cleanup_diff struct diff *diff = compare(input);
    if (!diff)
        return NULL;
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    check(out && !diff_format_by_name(*ret_is_table ? "table" : "flamegraph")->write(diff, ret_options, out));
    check(fclose(out) == 0);
    write_growth(diff);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint8_t innocent[] = {0, 0, 0, PICTURES_INNOCENT, PICTURES_INNOCENT};
    static size_t scripts;
    struct diff_format_options options;
    bool is_table;
    size_t text_len = 0;
    if (scripts == 0) {
        cleanup_free char *text =
            write_diff(&(struct input){innocent, innocent + sizeof(innocent)}, &options, &is_table, &text_len);
        check(text != NULL);
        scripts = pictures_count_scripts(text, text_len);
        check(scripts > 0);
    }
    cleanup_free char *text = write_diff(&(struct input){bytes, bytes + len}, &options, &is_table, &text_len);
    if (!text)
        return 0;
    if (is_table)
        texts_check(text, text_len, options.with_colours ? "\n\x1b" : "\n");
    else
        pictures_check(text, text_len, scripts);
    return 0;
}
