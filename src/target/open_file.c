/* SPDX-License-Identifier: MIT */
#include "target/open_file.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "proc_file.h"
#include "target/proc_text.h"
#include "target/process.h"
#include "target/task.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { NAME_LEN = 64 }; /* of a descriptor's file in /proc/PID */

/* Reads the link of a descriptor as a text. */
static bool read_link(const struct task *task, int32_t file, char target[PATH_MAX])
{
    char name[NAME_LEN];
    if (file < 0)
        return false;
    snprintf(name, sizeof(name), "task/%d/fd/%d", task->tid, file);
    ssize_t len = readlinkat(task->process->directory, name, target, PATH_MAX - 1);
    if (len <= 0)
        return false;
    target[len] = '\0';
    return true;
}

bool open_file_read(const struct task *task, int32_t file, struct buffer *buffer)
{
    static const char unnamed[] = "anon_inode:";
    char target[PATH_MAX];
    const char *start = target;
    buffer_clear(buffer);
    if (!read_link(task, file, target))
        return false;
    size_t len = strlen(target);
    /* "anon_inode:[eventfd]", and of some kinds without the brackets. */
    if (strncmp(target, unnamed, sizeof(unnamed) - 1) == 0) {
        start += sizeof(unnamed) - 1;
        len -= sizeof(unnamed) - 1;
        bool has_brackets = len > 2 && start[0] == '[' && start[len - 1] == ']';
        start += has_brackets ? 1 : 0;
        len -= has_brackets ? 2 : 0;
    }
    buffer_append(buffer, start, len);
    return !buffer->failed;
}

bool open_file_read_info(const struct task *task, int32_t file, struct buffer *buffer)
{
    char name[NAME_LEN];
    if (file < 0)
        return false;
    snprintf(name, sizeof(name), "task/%d/fdinfo/%d", task->tid, file);
    cleanup_error struct error *error = proc_file_read(task->process->directory, name, buffer);
    return !error;
}

/* Linux kernel/pid.c: pidfd_show_fdinfo(): "Pid:" is as the reader's procfs has it, or -1 or 0. */
bool open_file_is_pidfd(const struct task *task, int32_t file, int64_t *ret_number)
{
    char target[PATH_MAX];
    uint64_t number = 0;
    cleanup_buffer struct buffer info = {0};
    if (!read_link(task, file, target) ||
        (strcmp(target, "anon_inode:[pidfd]") != 0 && strncmp(target, "pidfd:[", strlen("pidfd:[")) != 0))
        return false;
    if (open_file_read_info(task, file, &info))
        proc_status_number(buffer_text(&info), info.len, "Pid", 10, &number);
    *ret_number = number <= INT32_MAX ? (int64_t)number : 0;
    return true;
}

bool open_file_is_socket(const char *text, uint64_t *ret_inode)
{
    static const char start[] = "socket:[";
    char *end;
    if (strncmp(text, start, sizeof(start) - 1) != 0)
        return false;
    uint64_t inode = strtoull(text + sizeof(start) - 1, &end, 10);
    if (inode == 0 || strcmp(end, "]") != 0)
        return false;
    *ret_inode = inode;
    return true;
}
