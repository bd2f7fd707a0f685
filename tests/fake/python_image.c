/* SPDX-License-Identifier: MIT */
#include "python_image.h"

#include "python/walk.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 32 };

static const char title[] = "pyspyc image 1\n";

void python_image_init(struct python_image *image, struct memory *source)
{
    *image = (struct python_image){0};
    recorded_memory_init(&image->memory, source);
}

void python_image_deinit(struct python_image *image)
{
    buffer_deinit(&image->maps);
    buffer_deinit(&image->stacks);
    recorded_memory_deinit(&image->memory);
}

/* --- the file ------------------------------------------------------------------------------------------------ */

static void save_block(const struct recorded_block *block, FILE *file)
{
    for (size_t at = 0; at < block->len; at++) {
        if (at % LINE_BYTES == 0)
            fprintf(file, "%s%" PRIx64 " ", at > 0 ? "\n" : "", block->address + at);
        if (block->bytes[at] == 0)
            fputc('.', file);
        else
            fprintf(file, "%02x", block->bytes[at]);
    }
    fputc('\n', file);
}

/* Numbers that make a runtime, each a line of its own; those that are 0 need not be there. */
static void save_fact(FILE *file, const char *name, uint64_t value)
{
    if (value != 0)
        fprintf(file, value > UINT16_MAX ? "%s %#" PRIx64 "\n" : "%s %" PRId64 "\n", name, value);
}

static void save_facts(const struct python_runtime *runtime, FILE *file)
{
    const struct python_version *version = &runtime->version;
    save_fact(file, "major", version->major);
    save_fact(file, "minor", version->minor);
    save_fact(file, "micro", (uint64_t)version->micro);
    save_fact(file, "level", (uint64_t)version->level);
    save_fact(file, "serial", version->serial);
    save_fact(file, "free-threaded", version->is_free_threaded);
    save_fact(file, "runtime", runtime->address);
    save_fact(file, "current-thread", runtime->current_thread);
    save_fact(file, "code-type", runtime->code_type);
    save_fact(file, "unicode-len", runtime->unicode_len);
}

void python_image_save(const struct python_image *image, FILE *file)
{
    fputs(title, file);
    save_facts(&image->runtime, file);
    fprintf(file, "\nmaps\n%s\nstacks\n%s\nmemory\n", buffer_text(&image->maps), buffer_text(&image->stacks));
    for (uint32_t i = 0; i < image->memory.count; i++)
        save_block(&image->memory.blocks[i], file);
}

/* A file that is being read, line by line. */
struct reader {
    FILE *file;
    char *line; /* the current one, with its end */
    size_t capacity, len;
    unsigned number;
};

static bool next_line(struct reader *reader)
{
    ssize_t len = getline(&reader->line, &reader->capacity, reader->file);
    reader->len = len < 0 ? 0 : (size_t)len;
    reader->number++;
    return len > 0;
}

/* The next line of a section; false at its end, and at that of the file. */
static bool next_line_of_section(struct reader *reader)
{
    return next_line(reader) && strcmp(reader->line, "\n") != 0;
}

static bool set_fact(struct python_runtime *runtime, const char *name, uint64_t value)
{
    struct python_version *version = &runtime->version;
    if (strcmp(name, "major") == 0)
        version->major = (uint8_t)value;
    else if (strcmp(name, "minor") == 0)
        version->minor = (uint8_t)value;
    else if (strcmp(name, "micro") == 0)
        version->micro = (int)value;
    else if (strcmp(name, "level") == 0)
        version->level = (char)value;
    else if (strcmp(name, "serial") == 0)
        version->serial = (uint8_t)value;
    else if (strcmp(name, "free-threaded") == 0)
        version->is_free_threaded = value != 0;
    else if (strcmp(name, "runtime") == 0)
        runtime->address = value;
    else if (strcmp(name, "current-thread") == 0)
        runtime->current_thread = value;
    else if (strcmp(name, "code-type") == 0)
        runtime->code_type = value;
    else if (strcmp(name, "unicode-len") == 0)
        runtime->unicode_len = (uint8_t)value;
    else
        return false;
    return true;
}

/* Understands a line of a name and a number; changes it. */
static bool load_fact(char *line, struct python_runtime *runtime)
{
    char *value = strchr(line, ' '), *end;
    if (!value)
        return false;
    *value++ = '\0';
    uint64_t number = strtoull(value, &end, 0);
    return end != value && strcmp(end, "\n") == 0 && set_fact(runtime, line, number);
}

static bool load_facts(struct reader *reader, struct python_runtime *runtime)
{
    if (!next_line(reader) || strcmp(reader->line, title) != 0)
        return false;
    while (next_line_of_section(reader)) {
        if (!load_fact(reader->line, runtime))
            return false;
    }
    return true;
}

static bool load_text(struct reader *reader, const char *heading, struct buffer *ret)
{
    if (!next_line(reader) || strcmp(reader->line, heading) != 0)
        return false;
    while (next_line_of_section(reader))
        buffer_append(ret, reader->line, reader->len);
    return !ret->failed;
}

/* Two digits, or a dot for zero. */
static bool take_byte(const char **text, unsigned char *ret)
{
    const char digits[] = {(*text)[0], (*text)[1], '\0'};
    bool is_zero = digits[0] == '.';
    if (!is_zero && (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1])))
        return false;
    *ret = is_zero ? 0 : (unsigned char)strtoul(digits, NULL, 16);
    *text += is_zero ? 1 : 2;
    return true;
}

static bool load_bytes(const char *line, struct recorded_memory *memory)
{
    unsigned char bytes[LINE_BYTES];
    size_t len = 0;
    char *end;
    remote_addr address = strtoull(line, &end, 16);
    if (end == line || *end != ' ')
        return false;
    line = end + 1;
    while (len < LINE_BYTES && take_byte(&line, &bytes[len]))
        len++;
    return len > 0 && strcmp(line, "\n") == 0 && recorded_memory_add(memory, address, bytes, len);
}

static bool load_memory(struct reader *reader, struct recorded_memory *memory)
{
    if (!next_line(reader) || strcmp(reader->line, "memory\n") != 0)
        return false;
    while (next_line(reader)) {
        if (!load_bytes(reader->line, memory))
            return false;
    }
    return !ferror(reader->file);
}

struct error *python_image_load(FILE *file, struct python_image *ret)
{
    struct reader reader = {.file = file};
    cleanup_python_image struct python_image image;
    python_image_init(&image, NULL);
    bool is_whole = load_facts(&reader, &image.runtime) && load_text(&reader, "maps\n", &image.maps) &&
                    load_text(&reader, "stacks\n", &image.stacks) && load_memory(&reader, &image.memory);
    free(reader.line);
    if (!is_whole)
        return error_create(ERROR_BAD_DATA, "line %u of the image is not understood", reader.number);
    *ret = image;
    image = (struct python_image){0};
    return NULL;
}

/* --- reading it as a target ---------------------------------------------------------------------------------- */

struct error *python_image_open(struct python_image *image, struct python **ret)
{
    cleanup_python_runtime struct python_runtime runtime = image->runtime;
    runtime.layout = NULL;
    struct error *error = python_runtime_set_layout(&runtime, &image->memory.memory);
    return error ? error : python_create(&runtime, ret);
}

/* A text between quotes, and on one line whatever it holds. */
static void write_quoted(struct buffer *out, const char *text, size_t len)
{
    buffer_append_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
            buffer_format(out, "\\u%04x", c);
        else
            buffer_append_char(out, text[i]);
    }
    buffer_append_char(out, '"');
}

static void write_frames(struct buffer *out, const struct python *python, const struct python_thread *thread)
{
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const struct python_frame *frame = &python_frames(python)[thread->first_frame + i];
        const struct python_code *code = python_code(python, frame->code);
        buffer_append_text(out, "    ");
        write_quoted(out, code->name, code->name_len);
        buffer_append_char(out, ' ');
        write_quoted(out, code->filename, code->filename_len);
        buffer_format(out, " %" PRId32 "%s\n", frame->line, frame->is_entry ? " entry" : "");
    }
}

static void write_thread(struct buffer *out, struct python *python, struct memory *memory,
                         const struct python_thread *thread)
{
    cleanup_buffer struct buffer name = {0};
    buffer_format(out, "thread %" PRIu64 " native %" PRIu64 " interpreter %" PRId64 "%s ", thread->id,
                  thread->native_id, thread->interpreter_id, thread->holds_gil ? " gil" : "");
    if (python_thread_name(python, memory, thread, &name))
        write_quoted(out, buffer_text(&name), name.len);
    else
        buffer_append_text(out, "none");
    buffer_append_char(out, '\n');
    if (thread->status != PYTHON_OK)
        buffer_format(out, "    failed: %s\n", python_status_text(thread->status));
    write_frames(out, python, thread);
}

unsigned python_image_walk(struct python_image *image, struct python *python, struct buffer *stacks)
{
    struct memory *memory = &image->memory.memory;
    uint32_t count;
    unsigned failures = 0;
    buffer_clear(stacks);
    python_begin_sample(python);
    enum python_status status = python_list_threads(python, memory);
    if (status != PYTHON_OK) {
        buffer_format(stacks, "failed: %s\n", python_status_text(status));
        return 1;
    }
    struct python_thread *threads = python_threads(python, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (python_walk_thread(python, memory, &threads[i]) != PYTHON_OK)
            failures++;
        write_thread(stacks, python, memory, &threads[i]);
    }
    return failures;
}
