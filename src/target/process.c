/* SPDX-License-Identifier: MIT */
#include "target/process.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/table.h"
#include "target/proc_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
    READ_STEP = 16 * 1024,
    PROC_FILE_LIMIT = 256 * 1024 * 1024, /* bytes: a maps file of a million mappings is about 100 MB */
    THREAD_LIMIT = 1 << 22,              /* the kernel's own limit of pid_max */
};

/* Reads a descriptor to its end. */
static struct error *read_all(int fd, struct buffer *buffer)
{
    buffer_clear(buffer);
    for (;;) {
        char *end = buffer_reserve(buffer, READ_STEP);
        if (!end)
            return error_no_memory();
        ssize_t len = read(fd, end, READ_STEP);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return error_from_errno(errno, "reading");
        if (len == 0) {
            *end = '\0';
            return NULL;
        }
        buffer->len += (size_t)len;
        if (buffer->len > PROC_FILE_LIMIT)
            return error_create(ERROR_BAD_DATA, "more than %d bytes", PROC_FILE_LIMIT);
    }
}

static struct error *gone(const struct process *process)
{
    return error_create(ERROR_TARGET_GONE, "process %d has ended", process->pid);
}

/* Turns the errors of a file of /proc/PID that mean "no such process" into that. */
static struct error *describe(const struct process *process, const char *name, struct error *error)
{
    if (error->kind == ERROR_NOT_FOUND || error->kind == ERROR_TARGET_GONE) {
        error_destroy(error);
        return gone(process);
    }
    return error_wrap(error, "cannot read %s of process %d", name, process->pid);
}

struct error *process_read_file(const struct process *process, const char *name, struct buffer *buffer)
{
    cleanup_fd int fd = openat(process->directory, name, O_RDONLY | O_CLOEXEC);
    struct error *error = fd < 0 ? error_from_errno(errno, "opening") : read_all(fd, buffer);
    return error ? describe(process, name, error) : NULL;
}

static struct error *read_stat(const struct process *process, struct proc_stat *ret)
{
    cleanup_buffer struct buffer text = {0};
    struct error *error = process_read_file(process, "stat", &text);
    if (error)
        return error;
    if (!proc_stat_parse(buffer_text(&text), text.len, ret))
        return error_create(ERROR_BAD_DATA, "cannot understand stat of process %d", process->pid);
    return NULL;
}

/* The process that a thread belongs to; the number itself when it cannot be found out. */
static pid_t thread_group_of(const char *proc, pid_t pid)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%d/status", proc, pid);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    cleanup_buffer struct buffer text = {0};
    uint64_t group;
    if (fd < 0)
        return pid;
    cleanup_error struct error *error = read_all(fd, &text);
    if (error || !proc_status_number(buffer_text(&text), text.len, "Tgid", 10, &group))
        return pid;
    return (pid_t)group;
}

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

struct error *process_open(const char *proc, pid_t pid, struct process **ret)
{
    cleanup_process struct process *process = malloc(sizeof(*process));
    if (!process)
        return error_no_memory();
    if (!proc)
        proc = "/proc";
    pid = thread_group_of(proc, pid);
    *process = (struct process){.proc = proc, .pid = pid, .directory = -1, .pidfd = -1, .root = -1};
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%d", proc, pid);
    process->pidfd = open_pidfd(pid);
    process->directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process->directory < 0 && errno == ENOENT)
        return error_create(ERROR_TARGET_GONE, "there is no process %d", pid);
    if (process->directory < 0)
        return error_from_errno(errno, "cannot open %s", path);
    struct proc_stat stat;
    struct error *error = read_stat(process, &stat);
    if (error)
        return error;
    process->start_time = stat.start_time;
    process->root = openat(process->directory, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    *ret = hand_over(&process);
    return NULL;
}

void process_destroy(struct process *process)
{
    if (!process)
        return;
    cleanup_close_fd(&process->directory);
    cleanup_close_fd(&process->pidfd);
    cleanup_close_fd(&process->root);
    free(process);
}

bool process_is_running(const struct process *process)
{
    struct proc_stat stat;
    cleanup_error struct error *error = read_stat(process, &stat);
    return !error && stat.state != 'Z' && stat.state != 'X';
}

struct error *process_read_maps(const struct process *process, struct maps *ret)
{
    cleanup_buffer struct buffer text = {0};
    struct error *error = process_read_file(process, "maps", &text);
    if (error)
        return error;
    return maps_init(ret, buffer_text(&text), text.len);
}

struct error *process_read_program(const struct process *process, struct process_program *ret)
{
    struct proc_stat stat;
    struct error *error = read_stat(process, &stat);
    if (error)
        return error;
    struct stat file;
    if (fstatat(process->directory, "exe", &file, 0) < 0) {
        if (errno == ENOENT && stat.state != 'Z' && stat.state != 'X')
            return error_create(ERROR_NOT_PYTHON, "it runs no program (it is a thread of the kernel)");
        return describe(process, "exe", error_from_errno(errno, "following"));
    }
    *ret = (struct process_program){
        .device = file.st_dev,
        .inode = file.st_ino,
        .code_start = stat.code_start,
    };
    return NULL;
}

bool process_program_equals(const struct process_program *a, const struct process_program *b)
{
    return a->device == b->device && a->inode == b->inode && a->code_start == b->code_start;
}

struct error *process_executable_path(const struct process *process, char **ret)
{
    char path[PATH_MAX];
    ssize_t len = readlinkat(process->directory, "exe", path, sizeof(path) - 1);
    if (len < 0)
        return describe(process, "exe", error_from_errno(errno, "following"));
    size_t mark_len = strlen(" (deleted)");
    if ((size_t)len > mark_len && memcmp(path + len - mark_len, " (deleted)", mark_len) == 0)
        len -= (ssize_t)mark_len;
    path[len] = '\0';
    *ret = strdup(path);
    return *ret ? NULL : error_no_memory();
}

/* Opens a path inside the target's root folder; symbolic links cannot lead out of it. Kernels before 5.6 cannot. */
static int open_in_root(const struct process *process, const char *path, int flags)
{
    if (process->root < 0) {
        errno = EACCES;
        return -1;
    }
    const struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT};
    return (int)syscall(SYS_openat2, process->root, path, &how, sizeof(how));
}

static bool is_regular_file(int fd)
{
    struct stat file;
    return fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

struct error *process_open_mapping(const struct process *process, const struct mapping *mapping, int *ret_fd)
{
    char name[64];
    snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, mapping->start, mapping->end);
    cleanup_fd int fd = openat(process->directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && mapping->is_deleted)
        return error_create(ERROR_NOT_FOUND, "the file '%s' that process %d runs has been deleted or replaced",
                            mapping->path, process->pid);
    /* Inode numbers are not compared: on overlayfs, maps and stat may disagree about them (Linux before 6.8). */
    if (fd < 0)
        fd = open_in_root(process, mapping->path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return error_from_errno(errno, "cannot open '%s' of process %d", mapping->path, process->pid);
    if (!is_regular_file(fd))
        return error_create(ERROR_BAD_DATA, "'%s' of process %d is not a regular file", mapping->path, process->pid);
    *ret_fd = hand_over_fd(&fd);
    return NULL;
}

bool process_has_file(const struct process *process, const char *path)
{
    cleanup_fd int fd = open_in_root(process, path, O_PATH);
    return fd >= 0;
}

struct error *process_command_line(const struct process *process, struct buffer *buffer)
{
    struct error *error = process_read_file(process, "cmdline", buffer);
    if (error)
        return error;
    while (buffer->len > 0 && buffer->data[buffer->len - 1] == '\0')
        buffer->len--;
    for (size_t i = 0; i < buffer->len; i++) {
        if (buffer->data[i] == '\0')
            buffer->data[i] = ' ';
    }
    return NULL;
}

struct error *process_thread_ids(const struct process *process, pid_t **ret_ids, uint32_t *ret_count)
{
    int fd = openat(process->directory, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return describe(process, "task", error_from_errno(errno, "opening"));
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return error_no_memory();
    }
    cleanup_free pid_t *ids = NULL;
    uint32_t count = 0, capacity = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) && count < THREAD_LIMIT) {
        long id = strtol(entry->d_name, NULL, 10);
        if (id <= 0)
            continue;
        if (!array_grow(&ids, count, &capacity, sizeof(*ids))) {
            closedir(folder);
            return error_no_memory();
        }
        ids[count++] = (pid_t)id;
    }
    closedir(folder);
    *ret_ids = hand_over(&ids);
    *ret_count = count;
    return NULL;
}
