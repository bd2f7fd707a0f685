/* SPDX-License-Identifier: MIT */
#include "outputs.h"

#include "file_name.h"
#include "nearest.h"
#include "options.h"
#include "terminal.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "formats/formats.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FORMAT_COUNT_LIMIT = 32,
    COPY_LEN = 16384, /* on a stack that may be small */
};

static const char standard_output[] = "-";
static const char text_format[] = "tree";

static bool is_standard_output(const char *path)
{
    return strcmp(path, standard_output) == 0;
}

struct error *outputs_add(struct outputs *outputs, const char *path)
{
    if (*path == '\0')
        return error_create(ERROR_USAGE, "an output needs a name: '-o FILE', or '-o -' for standard output");
    if (outputs->count == OUTPUT_LIMIT)
        return error_create(ERROR_USAGE, "more than %d outputs", OUTPUT_LIMIT);
    outputs->paths[outputs->count++] = path;
    return NULL;
}

/* "svg" and "pb.gz" are no formats, but whoever says so has one in mind. */
static const struct format *format_of_ending(const char *word)
{
    cleanup_buffer struct buffer name = {0};
    buffer_format(&name, "x.%s", word);
    return name.failed ? NULL : format_by_ending(buffer_text(&name));
}

struct error *outputs_choose(struct outputs *outputs, const char *word)
{
    outputs->format = format_by_name(word);
    if (outputs->format)
        return NULL;
    const char *names[FORMAT_COUNT_LIMIT];
    size_t count;
    const struct format *formats = formats_all(&count);
    for (size_t i = 0; i < count && i < FORMAT_COUNT_LIMIT; i++)
        names[i] = formats[i].name;
    const struct format *by_ending = format_of_ending(word);
    const char *nearest = by_ending ? by_ending->name : nearest_word(word, names, count);
    if (nearest)
        return error_create(ERROR_USAGE, "unknown format '%s': did you mean '%s'?", word, nearest);
    return error_create(ERROR_USAGE, "unknown format '%s' (see 'pyspyc record --help')", word);
}

bool outputs_are_text(const struct outputs *outputs)
{
    return outputs->format && outputs->format == format_by_name(text_format);
}

static struct error *describe_unknown_ending(const char *ending)
{
    size_t count;
    cleanup_buffer struct buffer known = {0};
    const struct format *formats = formats_all(&count);
    for (size_t i = 0; i < count; i++)
        buffer_format(&known, "%s%s", i > 0 ? ", " : "", formats[i].endings[0]);
    return error_create(ERROR_USAGE,
                        "no format is known for files that end in '%s', but for %s; or choose one with "
                        "--format",
                        ending, buffer_text(&known));
}

/* The format of an output that was asked for without one. */
static struct error *choose_format(const char *path, const struct format **ret)
{
    size_t count;
    const char *slash = strrchr(path, '/');
    const char *ending = strrchr(slash ? slash + 1 : path, '.');
    if (is_standard_output(path))
        *ret = format_by_name(text_format);
    else
        *ret = ending ? format_by_ending(path) : &formats_all(&count)[0];
    if (*ret)
        return NULL;
    return describe_unknown_ending(ending);
}

static bool is_mute(const char *path)
{
    return !is_standard_output(path) && !format_by_ending(path);
}

/* Whether an output has the format that was asked for by name, and not that of its ending. */
static bool is_by_name(const struct outputs *outputs, const char *path)
{
    bool is_any_mute = false;
    for (uint32_t i = 0; i < outputs->count; i++)
        is_any_mute |= is_mute(outputs->paths[i]);
    bool is_meant = is_mute(path) || (is_standard_output(path) && !is_any_mute);
    return outputs->format && (outputs->count == 1 || is_meant);
}

struct error *outputs_complete(struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        const char *path = outputs->paths[i];
        outputs->formats[i] = outputs->format;
        struct error *error = is_by_name(outputs, path) ? NULL : choose_format(path, &outputs->formats[i]);
        if (error)
            return error;
        if (outputs->formats[i]->is_binary && is_standard_output(path) && isatty(STDOUT_FILENO))
            return error_create(ERROR_USAGE, "the format '%s' is not for a terminal: name a file with -o",
                                outputs->formats[i]->name);
    }
    return NULL;
}

/* Where a number goes that a name gets: before the ending that says the format, or any other. */
static size_t find_ending(const char *path, const struct format *format)
{
    size_t len = strlen(path), longest = 0;
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash + 1 : path, '.');
    for (size_t i = 0; format->endings[i]; i++) {
        size_t ending_len = strlen(format->endings[i]);
        if (ending_len > longest && ending_len < len && strcasecmp(path + len - ending_len, format->endings[i]) == 0)
            longest = ending_len;
    }
    return longest == 0 && dot ? (size_t)(dot - path) : len - longest;
}

/* Whether files of one name would replace each other. Pipes and devices get all of them. */
static bool needs_number(const struct outputs *outputs, const char *path)
{
    struct stat file;
    if (!outputs->is_numbered || is_standard_output(path))
        return false;
    if (stat(path, &file) == 0 && !S_ISREG(file.st_mode))
        return false;
    return outputs->is_literal || !strstr(path, "%n");
}

static struct error *make_name(struct outputs *outputs, uint32_t index, const struct file_name_facts *facts)
{
    cleanup_buffer struct buffer name = {0}, numbered = {0};
    const char *path = outputs->paths[index];
    if (needs_number(outputs, path)) {
        size_t at = find_ending(path, outputs->formats[index]);
        buffer_format(&numbered, "%.*s-%" PRIu32 "%s", (int)at, path, facts->number, path + at);
        path = buffer_text(&numbered);
    }
    if (outputs->is_literal)
        buffer_append_text(&name, path);
    else
        file_name_append(&name, path, facts);
    name.failed |= numbered.failed;
    free(outputs->names[index]);
    outputs->names[index] = name.failed ? NULL : strdup(buffer_text(&name));
    return outputs->names[index] ? NULL : error_no_memory();
}

static bool is_same_output(const struct output *one, const struct output *other)
{
    bool are_standard = is_standard_output(one->path) && is_standard_output(other->path);
    return are_standard || place_is_same(&one->place, &other->place);
}

struct error *outputs_open(struct outputs *outputs, const struct file_name_facts *facts)
{
    struct error *error = NULL;
    for (uint32_t i = 0; !error && i < outputs->count; i++) {
        error = make_name(outputs, i, facts);
        if (!error)
            error = output_open(outputs->names[i], &outputs->files[i]);
        for (uint32_t j = 0; !error && j < i; j++) {
            if (is_same_output(&outputs->files[i], &outputs->files[j]))
                error = error_create(ERROR_USAGE, "two outputs are to go to '%s'", outputs->names[i]);
        }
    }
    return error;
}

const struct place *outputs_first_file(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (outputs->files[i].is_file)
            return &outputs->files[i].place;
    }
    return NULL;
}

const char *outputs_first_name(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (!is_standard_output(outputs->paths[i]))
            return outputs->names[i];
    }
    return NULL;
}

/* Writes a recording's bytes, as far as they are good, to a stream. */
static struct error *copy_recording(const struct recording_source *recording, FILE *out)
{
    char bytes[COPY_LEN];
    uint64_t at = 0;
    while (at < recording->len) {
        size_t wanted = recording->len - at < sizeof(bytes) ? (size_t)(recording->len - at) : sizeof(bytes);
        ssize_t len = pread(recording->fd, bytes, wanted, (off_t)at);
        if (len <= 0)
            return error_from_errno(len < 0 ? errno : EIO, "cannot read the recording");
        fwrite(bytes, 1, (size_t)len, out);
        at += (uint64_t)len;
    }
    return NULL;
}

static struct error *write_output(struct output *file, const struct format *format, const struct views *views,
                                  const struct format_options *options, const struct recording_source *recording)
{
    struct format_options laid_out = *options;
    const struct view *view = format->marks_idle && views->with_idle ? views->with_idle : views->plain;
    struct error *error = output_begin(file);
    if (error)
        return error;
    if (!file->is_file)
        terminal_describe(fileno(file->stream), &laid_out.tree);
    error = format->is_recording ? copy_recording(recording, file->stream)
                                 : format_write(format, view, &laid_out, file->stream);
    return error ? error_wrap(error, "cannot write '%s'", file->path) : output_commit(file);
}

struct error *outputs_write(struct outputs *outputs, const struct views *views, const struct format_options *options,
                            const struct recording_source *recording)
{
    struct error *first = NULL;
    for (uint32_t i = 0; i < outputs->count; i++) {
        struct error *error = write_output(&outputs->files[i], outputs->formats[i], views, options, recording);
        if (first)
            error_destroy(error);
        else
            first = error;
    }
    return first;
}

bool outputs_mark_idle(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (outputs->formats[i]->marks_idle)
            return true;
    }
    return false;
}

bool outputs_have_recording(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (outputs->formats[i]->is_recording)
            return true;
    }
    return false;
}

bool outputs_can_wait(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (!outputs->files[i].is_file)
            return true;
    }
    return false;
}

void outputs_close(struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++)
        output_deinit(&outputs->files[i]);
}

void outputs_deinit(struct outputs *outputs)
{
    outputs_close(outputs);
    for (uint32_t i = 0; i < outputs->count; i++) {
        free(hand_over(&outputs->names[i]));
    }
}
