/* SPDX-License-Identifier: MIT */
#include "output.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

enum { NAME_TRIES = 100 };

static struct error *cannot_write(const char *path, int errno_value)
{
    return error_from_errno(errno_value, "cannot write '%s'", path);
}

static struct error *refuse_foreign(const char *path)
{
    return error_create(ERROR_PERMISSION,
                        "cannot write '%s': it is another user's, in a folder where everybody may make files", path);
}

/* Not a regular file: there is nothing to replace, and a reader waits at the other end. */
static struct error *open_directly(struct output *output)
{
    struct stat file;
    const struct place *place = &output->place;
    /* Behind a link of the kernel's can be a regular file, which somebody has begun to write. */
    int flags = O_WRONLY | O_CLOEXEC | (place->is_kernel_link ? O_APPEND : O_NOFOLLOW);
    cleanup_fd int fd = openat(place->folder, place->name, flags);
    if (fd < 0 || fstat(fd, &file) != 0)
        return cannot_write(output->path, errno);
    if (S_ISREG(file.st_mode) && !place->is_kernel_link) /* somebody has put it there since we looked */
        return cannot_write(output->path, EEXIST);
    output->stream = fdopen(fd, "w");
    if (!output->stream)
        return cannot_write(output->path, errno);
    hand_over_fd(&fd);
    return NULL;
}

/*
 * What replaces a file that is ours has its mode and owner. Where its group cannot be had, what that one may do is for
 * nobody.
 */
static bool take_over_mode(int fd, const struct place *place)
{
    struct stat old, new;
    if (!place_look(place, &old) || !S_ISREG(old.st_mode) || !place_is_own(&old))
        return true;
    if (fchown(fd, old.st_uid, old.st_gid) != 0 && fchown(fd, (uid_t)-1, old.st_gid) != 0)
        errno = 0;
    if (fstat(fd, &new) != 0)
        return false;
    mode_t mode = old.st_mode & 0777;
    return fchmod(fd, new.st_gid == old.st_gid ? mode : mode & ~(mode_t)070) == 0;
}

/* Makes a file under a name that nobody can guess. */
static int make_unnamed(struct output *output)
{
    for (int i = 0; i < NAME_TRIES; i++) {
        uint64_t number;
        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
            break;
        snprintf(output->temporary, sizeof(output->temporary), ".pyspyc-%016" PRIx64, number);
        int fd = place_make(&output->place, output->temporary);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static void remove_temporary(struct output *output)
{
    if (*output->temporary != '\0')
        unlinkat(output->place.folder, output->temporary, 0);
    *output->temporary = '\0';
}

static struct error *make_temporary(struct output *output, int *ret_fd)
{
    cleanup_fd int fd = make_unnamed(output);
    if (fd >= 0 && take_over_mode(fd, &output->place)) {
        *ret_fd = hand_over_fd(&fd);
        return NULL;
    }
    struct error *error = cannot_write(output->path, errno);
    if (fd >= 0)
        remove_temporary(output);
    *output->temporary = '\0';
    return error;
}

/* Makes a file, to see whether that can be done, and removes it. */
static struct error *try_temporary(struct output *output)
{
    cleanup_fd int fd = -1;
    struct error *error = make_temporary(output, &fd);
    output->is_file = !error;
    if (!error)
        remove_temporary(output);
    return error;
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
        remove_temporary(output);
        return error_no_memory();
    }
    hand_over_fd(&fd);
    return NULL;
}

static struct error *open_place(struct output *output)
{
    struct stat file;
    struct error *error = place_find(output->path, PLACE_EXISTING, &output->place);
    if (error)
        return error;
    if (output->place.is_kernel_link)
        return open_directly(output);
    if (!place_look(&output->place, &file))
        return try_temporary(output);
    if (S_ISDIR(file.st_mode))
        return cannot_write(output->path, EISDIR);
    if (place_is_foreign(&output->place, &file))
        return refuse_foreign(output->path);
    return S_ISREG(file.st_mode) ? try_temporary(output) : open_directly(output);
}

struct error *output_open(const char *path, struct output *ret)
{
    cleanup_output struct output output = {.path = strdup(path), .place = {.folder = -1}};
    struct error *error = NULL;
    if (!output.path)
        return error_no_memory();
    signal(SIGXFSZ, SIG_IGN); /* to write beyond a limit is an error, no end; verbs that start programs give it back */
    if (strcmp(path, "-") == 0)
        output.stream = stdout;
    else
        error = open_place(&output);
    if (error)
        return error;
    *ret = output;
    output = (struct output){.place = {.folder = -1}};
    return NULL;
}

/* Of a stream that stays open: what its closing would say, as file systems over a network first write then. */
static bool is_closable(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy >= 0 && close(copy) == 0;
}

/* Everything is out and on the disk, or errno says why not. Closes the stream. */
static bool finish_stream(struct output *output)
{
    bool is_written = fflush(output->stream) == 0 && !ferror(output->stream);
    if (is_written && output->is_file)
        is_written = fsync(fileno(output->stream)) == 0 && fstat(fileno(output->stream), &output->written) == 0;
    if (is_written && output->stream == stdout)
        is_written = is_closable(STDOUT_FILENO);
    int errno_value = errno;
    FILE *stream = hand_over(&output->stream);
    if (stream == stdout)
        return is_written;
    if (fclose(stream) != 0 && is_written)
        return false;
    errno = errno_value;
    return is_written;
}

/* That a name is another file's now outlives a loss of power only then. Not every file system can tell. */
static void sync_folder(const struct place *place)
{
    cleanup_fd int folder = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0)
        (void)fsync(folder);
}

/* Gives the file its name. */
static bool take_name(const struct output *output)
{
    const struct place *place = &output->place;
    if (renameat(place->folder, output->temporary, place->folder, place->name) != 0)
        return false;
    sync_folder(place);
    return true;
}

struct error *output_commit(struct output *output)
{
    bool is_good = finish_stream(output);
    if (is_good && output->is_file)
        is_good = take_name(output);
    int errno_value = errno;
    if (!is_good) {
        remove_temporary(output);
        return cannot_write(output->path, errno_value);
    }
    *output->temporary = '\0';
    output->is_complete = true;
    return NULL;
}

void output_deinit(struct output *output)
{
    if (*output->temporary != '\0')
        remove_temporary(output);
    if (output->stream && output->stream != stdout)
        fclose(output->stream);
    if (output->path)
        place_deinit(&output->place);
    free(output->path);
    *output = (struct output){.place = {.folder = -1}};
}
