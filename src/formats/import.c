/* SPDX-License-Identifier: MIT */
#include "formats/import.h"

#include "base/buffer.h"
#include "import_source.h"
#include "imported.h"
#include "profile/recording_file.h"

#include <errno.h>
#include <unistd.h>

enum { BEGIN_LEN = 1 << 16 };

/*
 * Whether bytes are text. Of a protobuf message that has anything in it they are not: small numbers are everywhere, as
 * lengths and as places in the table of strings.
 */
static bool is_text(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
            return false;
    }
    return true;
}

static struct error *read_begin(struct import_source *source, struct buffer *begin)
{
    char *bytes = buffer_reserve(begin, BEGIN_LEN);
    if (!bytes)
        return error_no_memory();
    struct error *error = import_source_read(source, bytes, BEGIN_LEN, &begin->len);
    if (error)
        return error;
    if (begin->len == 0)
        return error_create(ERROR_BAD_DATA, "%s is empty", source->name);
    return NULL;
}

static struct error *write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR)
            return error_from_errno(errno, "cannot keep what is read");
        bytes += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return NULL;
}

/* A recording that is packed, or comes through a pipe, where it cannot be read as recordings are. */
static struct error *copy_recording(struct import_source *source, struct buffer *piece, int recording)
{
    struct error *error = NULL;
    while (!error && piece->len > 0) {
        error = write_all(recording, piece->data, piece->len);
        if (!error)
            error = import_source_read(source, piece->data, BEGIN_LEN, &piece->len);
    }
    return error;
}

struct error *import_within(int in, const char *name, int recording, const struct import_limits *limits,
                            struct buffer *notes)
{
    cleanup_import_source struct import_source source = {0};
    cleanup_buffer struct buffer begin = {0};
    cleanup_imported struct imported imported = {.name = name, .limits = limits, .notes = notes};
    struct error *error = import_source_init(&source, in, name, limits->text_len);
    if (!error)
        error = read_begin(&source, &begin);
    if (error)
        return error;
    if (recording_file_is_one(begin.data, begin.len))
        return copy_recording(&source, &begin, recording);
    if (is_text(begin.data, begin.len))
        return import_collapsed(&imported, &source, &begin, recording);
    return import_pprof(&imported, &source, &begin, recording);
}

struct error *import_recording(int in, const char *name, int recording, struct buffer *notes)
{
    return import_within(in, name, recording, &import_limits, notes);
}
