/* SPDX-License-Identifier: MIT */
/*
 * A profile out of the input in the formats that are text, JSON or pprof's: byte 0 chooses which, byte 1 the options.
 * All is UTF-8 without control characters; JSON is read strictly, and collapsed stacks and pprof are imported again.
 *
 * For: src/formats/collapsed.c src/formats/tree.c src/formats/tree_rows.c src/formats/tree_builder.c
 * For: src/formats/tree_groups.c src/formats/tree_imports.c src/formats/tree_lines.c src/formats/functions.c
 * For: src/formats/speedscope.c src/formats/chrometrace.c src/formats/firefox.c src/formats/firefox_tables.c
 * For: src/formats/json.c src/formats/pprof.c src/formats/pprof_facts.c src/formats/timeline.c src/formats/summary.c
 * For: src/formats/label.c src/formats/flat.c src/formats/alike.c
 * Options: -max_len=1024
 */
#include "formats/formats.h"

#include "base/error.h"
#include "formats/summary.h"
#include "formats_imports.h"
#include "profiles.h"
#include "texts.h"

#include <stdio.h>

static const char *const names[] = {"raw", "tree", "speedscope", "chrometrace", "firefox", "json", "pprof", "summary"};

static struct format_options take_options(struct input *input)
{
    uint8_t bits = input_byte(input), more = input_byte(input);
    return (struct format_options){
        .full_filenames = bits & 1,
        .detail = {.lines = more % 3, .with_threads = bits & 2, .with_processes = bits & 4},
        .tree = {.min_percent = bits & 8 ? 1 : 0,
                 .depth = bits & 16 ? 3 : 0,
                 .show_all = bits & 32,
                 .only_self = bits & 64,
                 .with_percent = bits & 128,
                 .use_colour = more & 16,
                 .use_ascii = more & 32,
                 .width = more & 64 ? 20 : 0},
    };
}

static struct error *count_weight(void *context, const struct sample *sample)
{
    *(uint64_t *)context += sample->weight;
    return NULL;
}

static void check_text(const char *name, const struct format_options *options, const char *text, size_t len)
{
    bool is_tree = strcmp(name, "tree") == 0 || strcmp(name, "summary") == 0;
    if (strcmp(name, "pprof") == 0) {
        imports_try(text, len, false);
        return;
    }
    texts_check(text, len, is_tree && options->tree.use_colour ? "\n\x1b" : "\n");
    if (is_tree && options->tree.use_ascii) {
        for (size_t i = 0; i < len; i++)
            check((unsigned char)text[i] < 0x80);
    }
    if (strcmp(name, "raw") == 0)
        imports_try(text, len, false);
    else if (!is_tree)
        check(json_check(text, len) >= 1);
}

static void write_format(struct recording_file *file, const char *name, const struct format_options *options)
{
    cleanup_view struct view *view = NULL;
    uint64_t weight = 0;
    if (view_create(file, &(struct view_options){.mark_idle = options->tree.show_all}, &view))
        abort();
    check(!view_each_sample(view, count_weight, &weight));
    cleanup_free char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    check(out != NULL);
    struct error *error = strcmp(name, "summary") == 0 ? summary_write(view_profile(view), options, out)
                                                       : format_write(format_by_name(name), view, options, out);
    check(!error && fclose(out) == 0);
    check_text(name, options, text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    struct input input = {bytes, bytes + len};
    const char *name = names[input_byte(&input) % array_size(names)];
    const struct format_options options = take_options(&input);
    cleanup_recording_file struct recording_file *file = profiles_record(&input, &fd);
    write_format(file, name, &options);
    return 0;
}
