/* SPDX-License-Identifier: MIT */
#include "input.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "formats/import.h"
#include "profile/losses.h"
#include "profile/profile.h"
#include "profile/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    BEGIN_LEN = 64,
    LOSS_WORTH_A_WORD = 50, /* one in so many */
};

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
    bool is_standard_input = strcmp(path, "-") == 0;
    cleanup_fd int fd = is_standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(errno, "cannot read '%s'", path);
    if (!is_recording(fd))
        return import(fd, is_standard_input ? "standard input" : path, ret_fd);
    *ret_fd = hand_over_fd(&fd);
    return NULL;
}

struct error *input_read(int fd, const char *path, struct recording_file **ret)
{
    cleanup_fd int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own_fd < 0)
        return error_from_errno(errno, "cannot read '%s'", path);
    struct error *error = recording_file_open(own_fd, path, ret);
    if (!error)
        hand_over_fd(&own_fd);
    return error;
}

void input_report_gaps(const char *path, const struct recording_file *file)
{
    cleanup_buffer struct buffer shown = {0};
    uint32_t count;
    const struct profile *profile = recording_file_profile(file);
    const struct profile_info *info = profile_get_info(profile);
    const struct profile_loss *losses = profile_losses(profile, &count);
    escape_visible(&shown, path, strlen(path));
    if (!recording_file_is_finished(file))
        fprintf(stderr,
                "pyspyc: %s is not finished: it was cut off, or is still written; its first %.1f seconds are here, and "
                "what was recorded after them is not\n",
                buffer_text(&shown), (double)info->duration_ns / 1e9);
    if (recording_file_lost_bytes(file) > 0)
        fprintf(stderr, "pyspyc: the last %" PRIu64 " bytes of %s cannot be read\n", recording_file_lost_bytes(file),
                buffer_text(&shown));
    uint64_t intervals = info->intervals.ok + info->intervals.idle + info->intervals.torn + info->intervals.unreadable;
    for (uint32_t i = 0; i < count; i++) {
        if (losses[i].count * LOSS_WORTH_A_WORD < intervals)
            continue;
        cleanup_buffer struct buffer cause = {0};
        size_t len;
        const char *text = profile_string(profile, losses[i].cause, &len);
        escape_visible(&cause, text, len);
        fprintf(stderr, "pyspyc: %s: %s: %" PRIu64 "\n", buffer_text(&shown), buffer_text(&cause), losses[i].count);
    }
}
