/* SPDX-License-Identifier: MIT */
/* Recordings in memory, for tests of what reads or makes them. */
#ifndef TESTS_RECORDING_IN_MEMORY_H
#define TESTS_RECORDING_IN_MEMORY_H

#include "base/cleanup.h"
#include "formats/formats.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/recording_writer.h"
#include "profile/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static inline int build_file(void)
{
    int fd = memfd_create("recording", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* A recording of some samples. The caller closes it. */
static inline struct recording_file *build_recording(const struct profile *profile, const struct sample *samples,
                                                     uint32_t count)
{
    cleanup_recording_writer struct recording_writer *writer = NULL;
    struct recording_file *file;
    int fd = build_file();
    assert_null(recording_writer_create(fd, &writer));
    recording_writer_gather(writer, profile);
    recording_writer_append(writer, samples, count);
    assert_null(recording_writer_finish(writer));
    assert_null(recording_file_open(fd, "test", &file));
    return file;
}

static inline uint32_t build_string(struct profile *profile, const char *text)
{
    return text ? profile_intern(profile, text, strlen(text)) : PROFILE_NONE;
}

/* What a format makes of a recording, from malloc, with a NUL behind it. */
static inline char *build_output(struct recording_file *file, const char *format, const struct format_options *options,
                                 size_t *ret_len)
{
    char *text = NULL;
    cleanup_view struct view *view = NULL;
    FILE *stream = open_memstream(&text, ret_len);
    assert_null(view_create(file, &(struct view_options){0}, &view));
    assert_null(format_write(format_by_name(format), view, options, stream));
    assert_int_equal(fclose(stream), 0);
    return text;
}

#endif
