/* SPDX-License-Identifier: MIT */
#include "target/process.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "descriptor.h"
#include "living_thread.h"
#include "pid_namespace.h"
#include "proc_file.h"
#include "target/privileges.h"
#include "target/proc_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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

/* The folder through which everything is seen that the process's threads share. */
static int open_folder(const struct process *process)
{
    return living_thread_open_folder(process->proc, process->pid, process->directory);
}

struct error *process_read_file(const struct process *process, const char *name, struct buffer *buffer)
{
    cleanup_fd int folder = open_folder(process);
    struct error *error = proc_file_read(folder, name, buffer);
    return error ? describe(process, name, error) : privileges_check(folder, process->pid);
}

/* The process that a thread belongs to; the number itself when it cannot be found out. */
static pid_t thread_group_of(const char *proc, pid_t pid)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%d/status", proc, pid);
    cleanup_buffer struct buffer text = {0};
    uint64_t group;
    cleanup_error struct error *error = proc_file_read(AT_FDCWD, path, &text);
    if (error || !proc_status_number(buffer_text(&text), text.len, "Tgid", 10, &group))
        return pid;
    return (pid_t)group;
}

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

pid_t process_number_of_child(const char *proc, pid_t child)
{
    if (!proc)
        proc = "/proc";
    if (pid_namespace_own_place(proc) == 1)
        return child;
    cleanup_fd int pidfd = open_pidfd(child);
    pid_t shown = pidfd < 0 ? 0 : pid_namespace_shown_number(proc, pidfd);
    return shown > 0 ? shown : child;
}

/* Finds out by which number system calls know the process, and opens its pidfd. */
static void find_own_number(struct process *process)
{
    struct pid_numbers numbers;
    pid_numbers_read(process->directory, "status", process->pid, &numbers);
    process->has_inner_ids = numbers.count > 1;
    process->own_place = pid_namespace_own_place(process->proc);
    if (process->own_place == 0 || process->own_place > numbers.count) {
        process->own_place = 0;
        return;
    }
    pid_t number = numbers.numbers[process->own_place - 1];
    process->has_cpu_clock = clock_getcpuclockid(number, &process->cpu_clock) == 0;
    process->pidfd = open_pidfd(number);
    /* At the same depth there can be a namespace beside ours, whose numbers mean other processes to us. */
    bool is_same = process->own_place == 1 ||
                   (process->pidfd >= 0 && pid_namespace_shown_number(process->proc, process->pidfd) == process->pid);
    if (is_same)
        return;
    cleanup_close_fd(&process->pidfd);
    process->pidfd = -1;
    process->own_place = 0;
    process->has_cpu_clock = false;
}

bool process_read_cpu_time(const struct process *process, uint64_t *ret_ns)
{
    struct timespec time;
    if (!process->has_cpu_clock || clock_gettime(process->cpu_clock, &time) != 0)
        return false;
    *ret_ns = (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
    return true;
}

/* Whether there is a living process of this number that procfs does not show. */
static bool is_hidden(const char *proc, pid_t pid)
{
    if (pid_namespace_own_place(proc) != 1)
        return false;
    cleanup_fd int pidfd = open_pidfd(pid);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    return pidfd >= 0 && poll(&end, 1, 0) == 0;
}

static struct error *hidden(pid_t pid)
{
    return error_create(ERROR_PERMISSION,
                        "process %d belongs to somebody else, and procfs hides such (it is mounted with hidepid): use "
                        "sudo",
                        pid);
}

static struct error *open_directory(const char *proc, pid_t pid, int *ret_fd)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%d", proc, pid);
    *ret_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*ret_fd >= 0)
        return NULL;
    if (errno != ENOENT)
        return error_from_errno(errno, "cannot open %s", path);
    if (is_hidden(proc, pid))
        return hidden(pid);
    if (pid_namespace_own_place(proc) == 0)
        return error_create(ERROR_TARGET_GONE,
                            "there is no process %d in %s, which is not mounted, or is that of another pid namespace",
                            pid, proc);
    return error_create(ERROR_TARGET_GONE, "there is no process %d", pid);
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
    struct error *error = open_directory(proc, pid, &process->directory);
    if (error)
        return error;
    struct proc_stat stat;
    error = proc_file_read_stat(process->directory, "stat", &stat);
    /* With hidepid=1 the files are refused, with hidepid=2 they seem not to be there. */
    if (error && (error->kind == ERROR_PERMISSION || is_hidden(proc, pid))) {
        error_destroy(error);
        return hidden(pid);
    }
    if (error)
        return describe(process, "stat", error);
    error = privileges_check(process->directory, pid);
    if (error)
        return error;
    process->start_time = stat.start_time;
    find_own_number(process);
    cleanup_fd int folder = open_folder(process);
    process->root = openat(folder, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
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
    return living_thread_find(process->pid, process->directory) != 0;
}

struct error *process_read_maps(const struct process *process, struct maps *ret)
{
    cleanup_buffer struct buffer text = {0};
    struct error *error = process_read_file(process, "maps", &text);
    if (error)
        return error;
    if (text.len == 0) /* it has begun to end, and given up its memory */
        return gone(process);
    return maps_init(ret, buffer_text(&text), text.len);
}

struct error *process_read_program(const struct process *process, struct process_program *ret)
{
    cleanup_fd int folder = open_folder(process);
    struct proc_stat stat;
    struct error *error = proc_file_read_stat(folder, "stat", &stat);
    if (error)
        return describe(process, "stat", error);
    struct stat file;
    if (fstatat(folder, "exe", &file, 0) < 0) {
        if (errno == ENOENT && proc_stat_lives(&stat))
            return error_create(ERROR_NOT_PYTHON, "it runs no program (it is a thread of the kernel)");
        return describe(process, "exe", error_from_errno(errno, "following"));
    }
    *ret = (struct process_program){
        .device = file.st_dev,
        .inode = file.st_ino,
        .code_start = stat.code_start,
        .stack_start = stat.stack_start,
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
    cleanup_fd int folder = open_folder(process);
    ssize_t len = readlinkat(folder, "exe", path, sizeof(path) - 1);
    if (len < 0)
        return describe(process, "exe", error_from_errno(errno, "following"));
    size_t mark_len = strlen(" (deleted)");
    if ((size_t)len > mark_len && memcmp(path + len - mark_len, " (deleted)", mark_len) == 0)
        len -= (ssize_t)mark_len;
    path[len] = '\0';
    *ret = strdup(path);
    return *ret ? NULL : error_no_memory();
}

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

/* Opens what /proc/PID itself leads to, whatever has become of its path. */
static int open_through_proc(const struct process *process, const struct mapping *mapping)
{
    char name[64];
    cleanup_fd int folder = open_folder(process);
    snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, mapping->start, mapping->end);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        return fd;
    /* map_files takes a capability that the owner of a process, or root in a container, may not have. */
    cleanup_free char *executable = NULL;
    cleanup_error struct error *error = process_executable_path(process, &executable);
    if (error || !executable || strcmp(executable, mapping->path) != 0)
        return -1;
    return openat(folder, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/*
 * The kernel writes a mapping's path as it is under our root, if it is there (fs/seq_file.c: seq_file_path()): that of
 * a process that has only changed its root begins with the place of that root. Here a path could lead to another file
 * of the same name, so its number has to be right.
 */
static int open_as_we_see_it(const struct mapping *mapping)
{
    struct stat file;
    if (stat(mapping->path, &file) != 0 || !S_ISREG(file.st_mode) || file.st_ino != mapping->inode) {
        errno = ENOENT;
        return -1;
    }
    return open(mapping->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

struct error *process_open_mapping(const struct process *process, const struct mapping *mapping, int *ret_fd)
{
    cleanup_fd int fd = open_through_proc(process, mapping);
    if (fd < 0 && mapping->is_deleted)
        return error_create(ERROR_NOT_FOUND, "the file '%s' that process %d runs has been deleted or replaced",
                            mapping->path, process->pid);
    /* Inode numbers are not compared: on overlayfs, maps and stat may disagree about them (Linux before 6.8). */
    if (fd < 0)
        fd = open_in_root(process, mapping->path, O_RDONLY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        fd = open_as_we_see_it(mapping);
    if (fd < 0)
        return error_from_errno(errno, "cannot open '%s' of process %d", mapping->path, process->pid);
    if (!is_regular_file(fd))
        return error_create(ERROR_BAD_DATA, "'%s' of process %d is not a regular file", mapping->path, process->pid);
    *ret_fd = hand_over_fd(&fd);
    return NULL;
}

struct error *process_open_executable(const struct process *process, int *ret_fd)
{
    int fd = openat(process->directory, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return describe(process, "exe", error_from_errno(errno, "opening"));
    *ret_fd = fd;
    return NULL;
}

/* Opens what a descriptor of a place leads to, if it is a regular file: to open a device can do harm by itself. */
static int open_regular_file(int opened)
{
    char link[64];
    cleanup_fd int place = opened;
    if (place < 0 || !is_regular_file(place))
        return -1;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
    return open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

int process_open_path(const struct process *process, const char *path)
{
    return open_regular_file(open_in_root(process, path, O_PATH));
}

int process_open_own_path(const char *path)
{
    return open_regular_file(open(path, O_PATH | O_CLOEXEC));
}

bool process_may_keep_file(void)
{
    cleanup_fd int probe = descriptor_keep(open("/", O_PATH | O_CLOEXEC));
    return probe >= 0;
}

struct error *process_check_spare_files(int count)
{
    enum { COUNT_LIMIT = 16 };
    struct rlimit limit = {0};
    int files[COUNT_LIMIT], opened = 0;
    while (opened < count && opened < COUNT_LIMIT && (files[opened] = open("/", O_PATH | O_CLOEXEC)) >= 0)
        opened++;
    for (int i = 0; i < opened; i++)
        close(files[i]);
    if (opened == count)
        return NULL;
    getrlimit(RLIMIT_NOFILE, &limit);
    return error_create(ERROR_OS, "more open files are needed than the limit of %llu allows: raise it (ulimit -n 64)",
                        (unsigned long long)limit.rlim_cur);
}

bool process_has_file(const struct process *process, const char *path)
{
    cleanup_fd int fd = process ? open_in_root(process, path, O_PATH) : open(path, O_PATH | O_CLOEXEC);
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
    struct error *error = proc_file_list_numbers(process->directory, "task", ret_ids, ret_count);
    return error ? describe(process, "task", error) : NULL;
}
