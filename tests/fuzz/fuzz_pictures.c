/* SPDX-License-Identifier: MIT */
/*
 * A profile out of the input as a flame graph and as a page: byte 0 chooses which, byte 1 the options. A flame graph is
 * read by libxml2, the SVG in a page, too.
 *
 * For: src/formats/flamegraph.c src/formats/page.c src/formats/picture.c src/formats/picture_data.c
 * src/formats/colour.c For: src/formats/caption.c src/formats/facts.c src/formats/legend.c src/formats/tile_file.c
 * src/formats/tile_queue.c Options: -max_len=1024
 */
#include "formats/formats.h"

#include "pictures.h"
#include "profiles.h"

#include <stdio.h>

static char *write_picture(struct input *input, size_t *ret_len)
{
    static int fd = -1;
    const char *name = input_byte(input) % 2 == 0 ? "flamegraph" : "html";
    uint8_t bits = input_byte(input);
    const struct format_options options = {
        .full_filenames = bits & 1,
        .detail = {.lines = bits >> 4 & 1, .with_threads = bits & 2, .with_processes = bits & 4},
    };
    cleanup_recording_file struct recording_file *file = profiles_record(input, &fd);
    cleanup_view struct view *view = NULL;
    check(!view_create(file, &(struct view_options){.mark_idle = bits & 8}, &view));
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    check(out && !format_write(format_by_name(name), view, &options, out) && fclose(out) == 0);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint8_t innocent[2][64] = {{0, 0, PICTURES_INNOCENT}, {1, 0, PICTURES_INNOCENT}};
    static size_t scripts[2];
    size_t kind = len > 0 ? bytes[0] % 2 : 0, text_len = 0;
    if (scripts[kind] == 0) {
        cleanup_free char *text =
            write_picture(&(struct input){innocent[kind], innocent[kind] + sizeof(innocent[kind])}, &text_len);
        scripts[kind] = pictures_count_scripts(text, text_len);
        check(scripts[kind] > 0);
    }
    cleanup_free char *text = write_picture(&(struct input){bytes, bytes + len}, &text_len);
    pictures_check(text, text_len, scripts[kind]);
    return 0;
}
