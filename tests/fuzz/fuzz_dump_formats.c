/* SPDX-License-Identifier: MIT */
/*
 * A dump out of the input, for a person and as JSON, which is read strictly. Names, values and lines of source are any
 * bytes.
 *
 * For: src/formats/dump_text.c src/formats/dump_json.c src/formats/dump_wait.c src/formats/source_line.c
 * Options: -max_len=1024
 */
#include "formats/dump_formats.h"

#include "base/cleanup.h"
#include "profile/process_dump.h"
#include "texts.h"

#include <stdio.h>

enum { COUNT_LIMIT = 4 };

static struct dump_text take_text(struct input *input)
{
    size_t len;
    if (input_byte(input) % 4 == 0)
        return (struct dump_text){0};
    const char *text = input_text(input, &len);
    return dump_text_copy(text, len);
}

/* Zeroed things, as many as there are to be. */
static void *take_list(struct input *input, size_t size, uint32_t *ret_count)
{
    *ret_count = input_byte(input) % COUNT_LIMIT;
    void *list = calloc(COUNT_LIMIT, size);
    check(list != NULL);
    return list;
}

static void take_wait(struct input *input, struct dump_wait *wait)
{
    wait->kind = input_byte(input) % (WAIT_SYSCALL + 1);
    wait->action = input_byte(input) % (WAIT_TO_DO + 1);
    wait->system_call = input_byte(input) % 2 ? "epoll_wait" : NULL;
    wait->owner = input_any(input);
    wait->owner_os_id = input_any(input);
    wait->address = input_any(input);
    wait->remaining_ns = (int64_t)input_any(input);
    wait->limit_ns = (int64_t)input_any(input);
    wait->pid = (int64_t)input_any(input);
    wait->poller = (int32_t)input_any(input);
    wait->more_files = (uint32_t)input_any(input);
    wait->target = take_text(input);
    wait->files = take_list(input, sizeof(*wait->files), &wait->file_count);
    for (uint32_t i = 0; i < wait->file_count; i++)
        wait->files[i] = (struct dump_file){(int32_t)input_any(input), take_text(input)};
}

static void take_frame(struct input *input, struct dump_frame *frame)
{
    static const enum frame_kind kinds[] = {FRAME_PYTHON, FRAME_MARK, FRAME_NATIVE, FRAME_KERNEL};
    frame->kind = kinds[input_byte(input) % 4];
    frame->name = take_text(input);
    frame->filename = take_text(input);
    frame->short_filename = take_text(input);
    frame->line = (int32_t)input_any(input);
    frame->first_line = (int32_t)input_any(input);
    frame->end_line = (int32_t)input_any(input);
    frame->column = (int32_t)input_any(input);
    frame->end_column = (int32_t)input_any(input);
    frame->source = take_text(input);
    frame->is_entry = input_byte(input) % 2;
    frame->variables = take_list(input, sizeof(*frame->variables), &frame->variable_count);
    for (uint32_t i = 0; i < frame->variable_count; i++) {
        frame->variables[i].name = take_text(input);
        frame->variables[i].value = take_text(input);
        frame->variables[i].is_argument = input_byte(input) % 2;
        frame->variables[i].is_unsteady = input_byte(input) % 2;
    }
}

static void take_thread(struct input *input, struct dump_thread *thread)
{
    uint8_t bits = input_byte(input);
    thread->id = input_any(input);
    thread->os_id = input_any(input);
    thread->interpreter = (int64_t)input_any(input);
    thread->name = take_text(input);
    thread->is_active = bits & 1;
    thread->is_stopped = bits & 2;
    thread->holds_gil = bits & 4;
    thread->waits_for_gil = bits & 8;
    thread->signal = bits & 16 ? (int)input_any(input) : 0;
    thread->failure = bits & 32 ? "it cannot be read" : NULL;
    thread->unchanged = (uint32_t)input_any(input);
    take_wait(input, &thread->wait);
    thread->frames = take_list(input, sizeof(*thread->frames), &thread->frame_count);
    for (uint32_t i = 0; i < thread->frame_count; i++)
        take_frame(input, &thread->frames[i]);
}

static void take_dump(struct input *input, struct process_dump *dump)
{
    dump->pid = (int64_t)input_any(input);
    dump->parent = (int64_t)input_any(input);
    dump->core_file = take_text(input);
    dump->command_line = take_text(input);
    dump->executable = take_text(input);
    dump->python_version = input_byte(input) % 2 ? strdup("3.12.1") : NULL;
    dump->is_untested = input_byte(input) % 2;
    dump->is_proved = input_byte(input) % 2;
    dump->hidden_thread_count = (uint32_t)input_any(input);
    dump->threads = take_list(input, sizeof(*dump->threads), &dump->thread_count);
    for (uint32_t i = 0; i < dump->thread_count; i++)
        take_thread(input, &dump->threads[i]);
}

static void check_output(int form, const struct process_dump *dump, const struct dump_format_options *options)
{
    cleanup_free char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    check(out != NULL);
    struct error *error = form == 0   ? dump_format_text(dump, options, out)
                          : form == 1 ? dump_format_json(dump, out)
                          : form == 2 ? dump_format_json_of_all(dump, 1, out)
                                      : dump_format_json_line(dump, 1, 2, 1e9, out);
    check(!error && fclose(out) == 0);
    texts_check(text, len, "\n");
    check(form == 0 || json_check(text, len) == 1);
    check(form != 3 || (char *)memchr(text, '\n', len) == text + len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct input input = {bytes, bytes + len};
    const struct dump_format_options options = {.full_filenames = input_byte(&input) % 2};
    cleanup_process_dump struct process_dump dump = {0};
    take_dump(&input, &dump);
    for (int form = 0; form < 4; form++)
        check_output(form, &dump, &options);
    return 0;
}
