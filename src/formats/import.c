/* SPDX-License-Identifier: MIT */
#include "formats/import.h"

#include "base/buffer.h"
#include "import_source.h"
#include "imported.h"
#include "profile/recording_file.h"

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
    if (recording_file_is_one(bytes, begin->len))
        return error_create(ERROR_BAD_DATA, "%s is a recording that is packed, or does not come from a file",
                            source->name);
    return NULL;
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
    if (is_text(begin.data, begin.len))
        return import_collapsed(&imported, &source, &begin, recording);
    return import_pprof(&imported, &source, &begin, recording);
}

struct error *import_recording(int in, const char *name, int recording, struct buffer *notes)
{
    return import_within(in, name, recording, &import_limits, notes);
}
