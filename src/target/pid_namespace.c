/* SPDX-License-Identifier: MIT */
#include "pid_namespace.h"

#include "base/buffer.h"
#include "base/error.h"
#include "proc_file.h"
#include "target/proc_text.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

bool pid_numbers_read(int folder, const char *name, pid_t plain, struct pid_numbers *ret)
{
    cleanup_buffer struct buffer text = {0};
    cleanup_error struct error *error = proc_file_read(folder, name, &text);
    uint64_t numbers[PID_NAMESPACE_LIMIT], unused;
    ret->count = 0;
    if (error)
        return false;
    if (!proc_status_number(buffer_text(&text), text.len, "NSpid", 10, &unused)) {
        ret->numbers[ret->count++] = plain;
        return true;
    }
    uint32_t count = proc_status_numbers(buffer_text(&text), text.len, "NSpid", numbers, PID_NAMESPACE_LIMIT);
    for (uint32_t i = 0; i < count; i++) {
        if (numbers[i] == 0 || numbers[i] > INT32_MAX)
            return true;
        ret->numbers[i] = (pid_t)numbers[i];
    }
    ret->count = count;
    return true;
}

uint32_t pid_namespace_own_place(const char *proc)
{
    char path[PATH_MAX];
    struct pid_numbers numbers;
    snprintf(path, sizeof(path), "%s/self/status", proc);
    return pid_numbers_read(AT_FDCWD, path, 1, &numbers) ? numbers.count : 0;
}

pid_t pid_namespace_own_number(int folder, pid_t plain, uint32_t own_place)
{
    struct pid_numbers numbers;
    if (own_place == 0)
        return 0;
    pid_numbers_read(folder, "status", plain, &numbers);
    return own_place <= numbers.count ? numbers.numbers[own_place - 1] : 0;
}

pid_t pid_namespace_shown_number(const char *proc, int pidfd)
{
    char path[PATH_MAX];
    cleanup_buffer struct buffer text = {0};
    uint64_t number;
    snprintf(path, sizeof(path), "%s/self/fdinfo/%d", proc, pidfd);
    cleanup_error struct error *error = proc_file_read(AT_FDCWD, path, &text);
    /* Linux fs/pidfs.c: pidfd_show_fdinfo() says 0 when procfs cannot see it, and -1 when it has ended. */
    if (error || !proc_status_number(buffer_text(&text), text.len, "Pid", 10, &number) || number > INT32_MAX)
        return 0;
    return (pid_t)number;
}
