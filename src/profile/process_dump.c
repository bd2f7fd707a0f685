/* SPDX-License-Identifier: MIT */
#include "profile/process_dump.h"

#include <stdlib.h>
#include <string.h>

struct dump_text dump_text_copy(const char *bytes, size_t len)
{
    struct dump_text text = {.bytes = malloc(len + 1)};
    if (!text.bytes)
        return text;
    memcpy(text.bytes, bytes, len);
    text.bytes[len] = '\0';
    text.len = len;
    return text;
}

static void deinit_thread(struct dump_thread *thread)
{
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        free(thread->frames[i].name.bytes);
        free(thread->frames[i].filename.bytes);
        free(thread->frames[i].short_filename.bytes);
        free(thread->frames[i].source.bytes);
    }
    free(thread->frames);
    free(thread->name.bytes);
}

void process_dump_deinit(struct process_dump *dump)
{
    for (uint32_t i = 0; i < dump->thread_count; i++)
        deinit_thread(&dump->threads[i]);
    free(dump->threads);
    free(dump->command_line.bytes);
    free(dump->executable.bytes);
    free(dump->python_version);
    *dump = (struct process_dump){0};
}
