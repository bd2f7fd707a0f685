/* SPDX-License-Identifier: MIT */
/*
 * A file that is to be the source of a frame: numbers and the name of the frame, then the file. Each line has to lie in
 * the text.
 *
 * For: src/sampler/source_text.c
 * Options: -max_len=1024
 */
#include "sampler/source_text.h"

#include "base/cleanup.h"
#include "input.h"
#include "profile/process_dump.h"

static void look_at(const struct source_text *text, const struct dump_frame *frame)
{
    size_t len;
    for (uint32_t i = 1; i <= text->count; i++) {
        const char *line = source_text_line(text, i, &len);
        check(line >= text->bytes && line + len <= text->bytes + text->len);
        check(!memchr(line, '\n', len));
    }
    check(!source_text_line(text, 0, &len) && !source_text_line(text, (int64_t)text->count + 1, &len));
    check(!source_text_fits(text, frame) || source_text_line(text, frame->line, &len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct input input = {bytes, bytes + len};
    size_t name_len;
    struct dump_frame frame = {
        .line = (int32_t)input_any(&input),
        .first_line = (int32_t)input_any(&input),
        .end_line = (int32_t)input_any(&input),
        .column = (int32_t)input_any(&input),
        .end_column = (int32_t)input_any(&input),
    };
    const char *name = input_text(&input, &name_len);
    frame.name = dump_text_copy(name, name_len);
    struct source_text text = {0};
    size_t text_len = (size_t)(input.end - input.at);
    if (source_text_init(&text, input_string(input.at, text_len), text_len))
        look_at(&text, &frame);
    source_text_deinit(&text);
    free(frame.name.bytes);
    return 0;
}
