/* SPDX-License-Identifier: MIT */
#include "input.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "formats/import.h"
#include "profile/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BEGIN_LEN = 64 };

/* Whether there is a recording. What cannot seek is none, as it is read more than once. */
static bool is_recording(int fd)
{
    char begin[BEGIN_LEN];
    ssize_t len = pread(fd, begin, sizeof(begin), 0);
    return len > 0 && recording_file_is_one(begin, (size_t)len);
}

/* Makes a file that goes with its descriptor. */
static struct error *open_temporary(int *ret)
{
    const char *folder = getenv("TMPDIR");
    cleanup_free char *path = NULL;
    if (asprintf(&path, "%s/pyspyc-XXXXXX", folder && *folder == '/' ? folder : "/tmp") < 0) {
        path = NULL;
        return error_no_memory();
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(errno, "cannot make a file for what is read in '%s'", path);
    unlink(path);
    *ret = fd;
    return NULL;
}

static struct error *import(int in, const char *path, int *ret_fd)
{
    cleanup_buffer struct buffer notes = {0};
    cleanup_fd int recording = -1;
    struct error *error = open_temporary(&recording);
    if (!error)
        error = import_recording(in, path, recording, &notes);
    if (error)
        return error;
    for (const char *line = buffer_text(&notes); *line != '\0'; line += strcspn(line, "\n") + 1)
        fprintf(stderr, "pyspyc: %.*s\n", (int)strcspn(line, "\n"), line);
    *ret_fd = hand_over_fd(&recording);
    return NULL;
}

struct error *input_open(const char *path, int *ret_fd)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(errno, "cannot read '%s'", path);
    if (!is_recording(fd))
        return import(fd, path, ret_fd);
    *ret_fd = hand_over_fd(&fd);
    return NULL;
}
