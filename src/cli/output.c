/* SPDX-License-Identifier: MIT */
#include "output.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static struct error *cannot_write(const char *path, int errno_value)
{
    return error_from_errno(errno_value, "cannot write '%s'", path);
}

/* Not a regular file: there is nothing to replace, and a reader waits at the other end. */
static struct error *open_directly(struct output *output)
{
    int fd = open(output->path, O_WRONLY | O_CLOEXEC);
    output->stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (output->stream)
        return NULL;
    struct error *error = cannot_write(output->path, errno);
    if (fd >= 0)
        close(fd);
    return error;
}

static mode_t current_umask(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return mask;
}

/* Gives the new file the mode that it is to have: that of the file that it replaces, or what the umask leaves. */
static bool set_mode(int fd, const char *path)
{
    struct stat old;
    mode_t mode = stat(path, &old) == 0 ? old.st_mode & 07777 : 0666 & ~current_umask();
    return fchmod(fd, mode) == 0;
}

static const char unnamed[] = "XXXXXX"; /* what mkostemp() puts a name in the place of */

static struct error *make_temporary(struct output *output, int *ret_fd)
{
    cleanup_fd int fd = mkostemp(output->temporary_path, O_CLOEXEC);
    if (fd < 0)
        return cannot_write(output->path, errno);
    if (!set_mode(fd, output->path)) {
        int errno_value = errno;
        unlink(output->temporary_path);
        return cannot_write(output->path, errno_value);
    }
    *ret_fd = hand_over_fd(&fd);
    return NULL;
}

/* Makes a file, to see whether that can be done, and removes it. */
static struct error *try_temporary(struct output *output)
{
    const char *slash = strrchr(output->path, '/');
    int folder_len = slash ? (int)(slash - output->path) + 1 : 0;
    cleanup_fd int fd = -1;
    if (asprintf(&output->temporary_path, "%.*s.pyspyc-%s", folder_len, output->path, unnamed) < 0) {
        output->temporary_path = NULL;
        return error_no_memory();
    }
    struct error *error = make_temporary(output, &fd);
    if (error)
        return error;
    unlink(output->temporary_path);
    memcpy(output->temporary_path + strlen(output->temporary_path) - strlen(unnamed), unnamed, strlen(unnamed));
    return NULL;
}

struct error *output_begin(struct output *output)
{
    cleanup_fd int fd = -1;
    if (output->stream)
        return NULL;
    struct error *error = make_temporary(output, &fd);
    if (error)
        return error;
    output->stream = fdopen(fd, "w");
    if (!output->stream) {
        unlink(output->temporary_path);
        return error_no_memory();
    }
    hand_over_fd(&fd);
    return NULL;
}

static struct error *open_path(struct output *output)
{
    struct stat file;
    if (strcmp(output->path, "-") == 0) {
        output->stream = stdout;
        return NULL;
    }
    if (stat(output->path, &file) != 0)
        return try_temporary(output);
    if (S_ISDIR(file.st_mode))
        return cannot_write(output->path, EISDIR);
    return S_ISREG(file.st_mode) ? try_temporary(output) : open_directly(output);
}

struct error *output_open(const char *path, struct output *ret)
{
    /* What a symbolic link leads to is written, not the link. */
    struct stat link;
    bool is_link = strcmp(path, "-") != 0 && lstat(path, &link) == 0 && S_ISLNK(link.st_mode);
    cleanup_output struct output output = {.path = is_link ? realpath(path, NULL) : NULL};
    if (!output.path) /* no link, or one that leads nowhere */
        output.path = strdup(path);
    if (!output.path)
        return error_no_memory();
    struct error *error = open_path(&output);
    if (error)
        return error;
    *ret = output;
    output = (struct output){0};
    return NULL;
}

/* Everything is out and on the disk, or errno says why not. Closes the stream. */
static bool finish_stream(struct output *output)
{
    bool is_written = fflush(output->stream) == 0 && !ferror(output->stream);
    if (is_written && output->temporary_path)
        is_written = fsync(fileno(output->stream)) == 0;
    int errno_value = errno;
    FILE *stream = hand_over(&output->stream);
    if (stream == stdout)
        return is_written;
    if (fclose(stream) != 0)
        return false;
    errno = errno_value;
    return is_written;
}

struct error *output_commit(struct output *output)
{
    bool is_good = finish_stream(output);
    if (is_good && output->temporary_path)
        is_good = rename(output->temporary_path, output->path) == 0;
    int errno_value = errno;
    if (!is_good && output->temporary_path)
        unlink(output->temporary_path);
    if (!is_good)
        return cannot_write(output->path, errno_value);
    free(hand_over(&output->temporary_path));
    output->is_complete = true;
    return NULL;
}

void output_deinit(struct output *output)
{
    if (output->stream && output->temporary_path)
        unlink(output->temporary_path);
    if (output->stream && output->stream != stdout)
        fclose(output->stream);
    free(output->temporary_path);
    free(output->path);
    *output = (struct output){0};
}
