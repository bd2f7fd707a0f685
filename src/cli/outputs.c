/* SPDX-License-Identifier: MIT */
#include "outputs.h"

#include "options.h"
#include "terminal.h"

#include "base/cleanup.h"
#include "formats/formats.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    FORMAT_COUNT_LIMIT = 32,
    COPY_LEN = 65536,
};

static const char standard_output[] = "-";
static const char text_format[] = "tree";

static bool is_standard_output(const char *path)
{
    return strcmp(path, standard_output) == 0;
}

struct error *outputs_add(struct outputs *outputs, const char *path)
{
    if (outputs->count == OUTPUT_LIMIT)
        return error_create(ERROR_USAGE, "more than %d outputs", OUTPUT_LIMIT);
    outputs->paths[outputs->count++] = path;
    return NULL;
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
    const char *nearest = options_nearest(word, names, count);
    if (nearest)
        return error_create(ERROR_USAGE, "unknown format '%s': did you mean '%s'?", word, nearest);
    return error_create(ERROR_USAGE, "unknown format '%s' (see 'pyspyc record --help')", word);
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
    return error_create(ERROR_USAGE, "no format is known for files that end in '%s': choose one with --format", ending);
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
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(path, outputs->paths[j]) == 0)
                return error_create(ERROR_USAGE, "two outputs are to go to '%s'", path);
        }
        if (outputs->formats[i]->is_binary && is_standard_output(path) && isatty(STDOUT_FILENO))
            return error_create(ERROR_USAGE, "the format '%s' is not for a terminal: name a file with -o",
                                outputs->formats[i]->name);
    }
    return NULL;
}

struct error *outputs_open(struct outputs *outputs)
{
    struct error *error = NULL;
    for (uint32_t i = 0; !error && i < outputs->count; i++)
        error = output_open(outputs->paths[i], &outputs->files[i]);
    return error;
}

const char *outputs_first_file(const struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        if (outputs->files[i].temporary_path)
            return outputs->files[i].path;
    }
    return NULL;
}

/* Writes a file's bytes, from its begin, to a stream. */
static struct error *copy_file(int fd, FILE *out)
{
    char bytes[COPY_LEN];
    ssize_t len;
    for (off_t at = 0; (len = pread(fd, bytes, sizeof(bytes), at)) != 0; at += len) {
        if (len < 0)
            return error_from_errno(errno, "cannot read the recording");
        fwrite(bytes, 1, (size_t)len, out);
    }
    return NULL;
}

static struct error *write_output(struct output *file, const struct format *format, const struct view *view,
                                  const struct format_options *options, int recording_fd)
{
    struct format_options laid_out = *options;
    terminal_describe(fileno(file->stream), &laid_out.tree);
    struct error *error = format->is_recording ? copy_file(recording_fd, file->stream)
                                               : format_write(format, view, &laid_out, file->stream);
    return error ? error_wrap(error, "cannot write '%s'", file->path) : output_commit(file);
}

struct error *outputs_write(struct outputs *outputs, const struct view *view, const struct format_options *options,
                            int recording_fd)
{
    struct error *first = NULL;
    for (uint32_t i = 0; i < outputs->count; i++) {
        struct error *error = write_output(&outputs->files[i], outputs->formats[i], view, options, recording_fd);
        if (first)
            error_destroy(error);
        else
            first = error;
    }
    return first;
}

void outputs_deinit(struct outputs *outputs)
{
    for (uint32_t i = 0; i < outputs->count; i++)
        output_deinit(&outputs->files[i]);
}
