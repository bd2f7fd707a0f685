/* SPDX-License-Identifier: MIT */
#include "sources.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/table.h"
#include "profile/process_dump.h"
#include "source_text.h"
#include "target/source_file.h"

#include <string.h>

enum {
    FILE_LIMIT = 4 << 20,    /* bytes of one file */
    FILES_LIMIT = 128 << 20, /* bytes of all files, as far as they are kept */
    FILE_COUNT_LIMIT = 4096, /* names that are tried */
    LINE_LIMIT = 64 << 10,   /* bytes of one line */
    LINES_LIMIT = 64 << 20,  /* bytes of all lines that are shown */
};

struct source_file {
    const struct dump_text *name; /* of a frame that is in it */
    struct source_text text;      /* no lines: it cannot be used */
};

struct sources {
    const struct process *process; /* NULL: the files are our own */
    struct source_reader reader;   /* of a process only the time: that at which its program began */
    struct source_file *files;
    uint32_t count, capacity;
    struct table by_name;
    size_t file_bytes, line_bytes;
};

static void deinit(struct sources *sources)
{
    for (uint32_t i = 0; i < sources->count; i++)
        source_text_deinit(&sources->files[i].text);
    free(sources->files);
    table_deinit(&sources->by_name);
}

/* Frozen modules, code that was typed in, and the like have such names; so could files, but hardly have. */
static bool can_be_path(const struct dump_text *name)
{
    return name->len > 0 && name->bytes[0] != '<' && !memchr(name->bytes, '\0', name->len);
}

static bool read_file(const struct sources *sources, const char *path, struct buffer *content)
{
    if (!sources->process)
        return source_file_read_own(&sources->reader, path, FILE_LIMIT, content);
    return source_file_read(sources->process, path, sources->reader.since_ns, FILE_LIMIT, content);
}

static void read_text(struct sources *sources, const struct dump_text *name, struct source_text *ret)
{
    cleanup_buffer struct buffer content = {0};
    if (!can_be_path(name) || sources->file_bytes >= FILES_LIMIT || !read_file(sources, name->bytes, &content))
        return;
    size_t len = content.len;
    if (source_text_init(ret, hand_over(&content.data), len))
        sources->file_bytes += len;
    content = (struct buffer){0};
}

static bool has_name(const void *context, uint32_t index, const void *key)
{
    const struct dump_text *a = ((const struct sources *)context)->files[index].name, *b = key;
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* The text of a file, read when it is asked for first. NULL without memory. */
static const struct source_text *find_text(struct sources *sources, const struct dump_text *name)
{
    static const struct source_text none = {0};
    uint64_t hash = hash_bytes(name->bytes, name->len);
    uint32_t index = table_find(&sources->by_name, hash, has_name, sources, name);
    if (index != TABLE_NONE)
        return &sources->files[index].text;
    if (sources->count >= FILE_COUNT_LIMIT)
        return &none;
    if (!array_grow(&sources->files, sources->count, &sources->capacity, sizeof(*sources->files)) ||
        !table_insert(&sources->by_name, hash, sources->count))
        return NULL;
    struct source_file *file = &sources->files[sources->count++];
    *file = (struct source_file){.name = name};
    read_text(sources, name, &file->text);
    return &file->text;
}

static bool add_to_frame(struct sources *sources, struct dump_frame *frame)
{
    size_t len;
    const struct source_text *text = find_text(sources, &frame->filename);
    if (!text)
        return false;
    const char *line = source_text_line(text, frame->line, &len);
    if (!line || len > LINE_LIMIT || sources->line_bytes + len > LINES_LIMIT || !source_text_fits(text, frame))
        return true;
    frame->source = dump_text_copy(line, len);
    sources->line_bytes += len;
    return frame->source.bytes != NULL;
}

static struct error *add_to_all(struct sources *sources, struct process_dump *dump)
{
    bool has_memory = true;
    for (uint32_t i = 0; i < dump->thread_count; i++) {
        const struct dump_thread *thread = &dump->threads[i];
        for (uint32_t j = 0; has_memory && j < thread->frame_count; j++) {
            /* Of native code the compiler says where its source was, which need not be on this machine. */
            if (thread->frames[j].kind == FRAME_PYTHON)
                has_memory = add_to_frame(sources, &thread->frames[j]);
        }
    }
    deinit(sources);
    return has_memory ? NULL : error_no_memory();
}

struct error *sources_add(const struct process *process, struct process_dump *dump)
{
    struct sources sources = {.process = process};
    if (!program_start_time(process, &sources.reader.since_ns))
        return NULL;
    return add_to_all(&sources, dump);
}

struct error *sources_add_own(const struct source_reader *reader, struct process_dump *dump)
{
    struct sources sources = {.reader = *reader};
    return add_to_all(&sources, dump);
}
