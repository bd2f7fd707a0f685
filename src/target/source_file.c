/* SPDX-License-Identifier: MIT */
#include "target/source_file.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "target/proc_text.h"
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    READ_STEP = 16 * 1024,
    FORK_LIMIT = 32, /* processes that forked each other, the last of them ours */
    SECOND_NS = 1000000000,
};

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * SECOND_NS + time->tv_nsec;
}

/* When a process was made; one tick of the kernel's clock may be missing. */
static int64_t start_time_ns(const struct process *process)
{
    struct timespec now, since_boot;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    int64_t tick_ns = SECOND_NS / sysconf(_SC_CLK_TCK);
    return nanoseconds(&now) - nanoseconds(&since_boot) + (int64_t)process->start_time * tick_ns;
}

static bool read_status_number(const struct process *process, const char *field, uint64_t *ret)
{
    cleanup_buffer struct buffer status = {0};
    cleanup_error struct error *error = process_read_file(process, "status", &status);
    return !error && proc_status_number(buffer_text(&status), status.len, field, 10, ret);
}

/*
 * The process that this one was forked from, while it lives; NULL when an exec made it. The kernel's words to a program
 * hold addresses that are random for each exec, so the same words mean the same exec.
 */
static struct process *open_origin(const struct process *process)
{
    cleanup_process struct process *parent = NULL;
    cleanup_buffer struct buffer own = {0}, other = {0};
    uint64_t pid;
    if (!read_status_number(process, "PPid", &pid) || pid == 0 || pid > INT32_MAX)
        return NULL;
    struct error *error = process_open(process->proc, (pid_t)pid, &parent);
    if (!error)
        error = process_read_file(process, "auxv", &own);
    if (!error)
        error = process_read_file(parent, "auxv", &other);
    error_destroy(error);
    bool is_same = !error && own.len > 0 && own.len == other.len && memcmp(own.data, other.data, own.len) == 0;
    return is_same ? hand_over(&parent) : NULL;
}

/* Whether a process runs what another one has begun. */
static bool is_forked(const struct process *process)
{
    cleanup_buffer struct buffer text = {0};
    struct proc_stat stat;
    cleanup_error struct error *error = process_read_file(process, "stat", &text);
    return error || !proc_stat_parse(buffer_text(&text), text.len, &stat) || stat.is_forked;
}

bool program_start_time(const struct process *process, int64_t *ret_ns)
{
    int64_t start_ns = start_time_ns(process);
    bool is_known = !is_forked(process);
    cleanup_process struct process *oldest = open_origin(process);
    for (int i = 0; oldest && i < FORK_LIMIT; i++) {
        struct process *older = open_origin(oldest);
        start_ns = start_time_ns(oldest);
        is_known = !is_forked(oldest);
        process_destroy(oldest);
        oldest = older;
    }
    *ret_ns = start_ns;
    return !oldest && is_known;
}

/* Reads where a link of /proc/PID leads. */
static bool read_link(const struct process *process, const char *name, char path[PATH_MAX])
{
    ssize_t len = readlinkat(process->directory, name, path, PATH_MAX - 1);
    if (len <= 0 || path[0] != '/')
        return false;
    path[len] = '\0';
    return true;
}

/* Appends the folder that a process is in, as a path from its root. */
static bool append_working_folder(const struct process *process, struct buffer *path)
{
    char root[PATH_MAX], folder[PATH_MAX];
    if (!read_link(process, "root", root) || !read_link(process, "cwd", folder))
        return false;
    size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(folder, root, len) != 0 || (folder[len] != '/' && folder[len] != '\0'))
        return false;
    buffer_append_text(path, folder + len);
    buffer_append_char(path, '/');
    return true;
}

/* Whose files a process could read by its user and group alone. */
static bool make_reader(const struct process *process, int64_t since_ns, struct source_reader *ret)
{
    ret->since_ns = since_ns;
    return read_status_number(process, "Uid", &ret->user) && read_status_number(process, "Gid", &ret->group);
}

static bool is_readable_by(const struct source_reader *reader, const struct stat *file)
{
    if (reader->user == 0)
        return true;
    if (file->st_uid == reader->user)
        return file->st_mode & S_IRUSR;
    return file->st_mode & (file->st_gid == reader->group ? S_IRGRP : S_IROTH);
}

/* A change within the tick in which the program began came before it: somebody had to start it first. */
static bool is_unchanged(const struct stat *file, int64_t since_ns)
{
    int64_t limit_ns = since_ns + SECOND_NS / sysconf(_SC_CLK_TCK);
    return nanoseconds(&file->st_mtim) <= limit_ns && nanoseconds(&file->st_ctim) <= limit_ns;
}

/* Reads a file to its end, which is expected after so many bytes. */
static bool read_whole(int fd, size_t expected, size_t limit, struct buffer *buffer)
{
    for (size_t step = expected + 1;; step = READ_STEP) {
        char *end = buffer_reserve(buffer, step);
        ssize_t len = end ? read(fd, end, step) : -1;
        if (len < 0 && end && errno == EINTR)
            continue;
        if (len < 0 || buffer->len + (size_t)len > limit)
            return false;
        buffer->len += (size_t)len;
        buffer->data[buffer->len] = '\0';
        if (len == 0)
            return true;
    }
}

static bool read_unchanged(const struct source_reader *reader, int fd, size_t limit, struct buffer *buffer)
{
    struct stat file, later;
    return fd >= 0 && fstat(fd, &file) == 0 && (uint64_t)file.st_size <= limit &&
           is_unchanged(&file, reader->since_ns) && is_readable_by(reader, &file) &&
           read_whole(fd, (size_t)file.st_size, limit, buffer) && fstat(fd, &later) == 0 &&
           is_unchanged(&later, reader->since_ns);
}

bool source_file_read(const struct process *process, const char *path, int64_t since_ns, size_t limit,
                      struct buffer *buffer)
{
    cleanup_buffer struct buffer whole = {0};
    struct source_reader reader;
    buffer_clear(buffer);
    if (path[0] != '/' && !append_working_folder(process, &whole))
        return false;
    buffer_append_text(&whole, path);
    if (whole.failed || !make_reader(process, since_ns, &reader))
        return false;
    cleanup_fd int fd = process_open_path(process, buffer_text(&whole));
    return read_unchanged(&reader, fd, limit, buffer);
}

bool source_file_read_own(const struct source_reader *reader, const char *path, size_t limit, struct buffer *buffer)
{
    buffer_clear(buffer);
    cleanup_fd int fd = path[0] == '/' ? process_open_own_path(path) : -1;
    return read_unchanged(reader, fd, limit, buffer);
}
