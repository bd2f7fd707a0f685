/* SPDX-License-Identifier: MIT */
#include "target/process_list.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "proc_file.h"
#include "target/proc_text.h"
#include "target/process.h"

#include <fcntl.h>
#include <stdio.h>

enum { THREAD_LOOK_LIMIT = 64 }; /* threads of a process that are asked for their state */

static int compare_numbers(const void *a, const void *b)
{
    pid_t one = *(const pid_t *)a, other = *(const pid_t *)b;
    return (one > other) - (one < other);
}

struct error *process_list(const char *proc, pid_t **ret, uint32_t *ret_count)
{
    const char *folder = proc ? proc : "/proc";
    struct error *error = proc_file_list_numbers(AT_FDCWD, folder, ret, ret_count);
    if (error)
        return error_wrap(error, "cannot list the processes of %s", folder);
    qsort(*ret, *ret_count, sizeof(**ret), compare_numbers);
    return NULL;
}

static bool is_any_running(const struct process *process, const pid_t *tids, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < THREAD_LOOK_LIMIT; i++) {
        char name[64];
        struct proc_stat stat;
        snprintf(name, sizeof(name), "task/%d/stat", tids[i]);
        cleanup_error struct error *gone = proc_file_read_stat(process->directory, name, &stat);
        if (!gone && stat.state == 'R')
            return true;
    }
    return false;
}

bool process_summarize(const struct process *process, struct process_summary *ret)
{
    cleanup_buffer struct buffer status = {0};
    cleanup_free pid_t *tids = NULL;
    uint32_t count;
    uint64_t user, parent = 0;
    struct proc_stat stat;
    cleanup_error struct error *error = proc_file_read_stat(process->directory, "stat", &stat);
    if (!error)
        error = proc_file_read(process->directory, "status", &status);
    if (!error)
        error = process_thread_ids(process, &tids, &count);
    if (error || !proc_status_number(buffer_text(&status), status.len, "Uid", 10, &user))
        return false;
    proc_status_number(buffer_text(&status), status.len, "PPid", 10, &parent);
    char state = is_any_running(process, tids, count) ? 'R' : stat.state;
    *ret = (struct process_summary){
        .parent = (pid_t)parent,
        .user = (uint32_t)user,
        .thread_count = count,
        .state = state,
    };
    return true;
}
