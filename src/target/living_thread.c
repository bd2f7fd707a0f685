/* SPDX-License-Identifier: MIT */
#include "living_thread.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "proc_file.h"
#include "target/proc_text.h"

#include <fcntl.h>
#include <limits.h>

static bool lives(int directory, const char *stat_name)
{
    struct proc_stat stat;
    cleanup_error struct error *error = proc_file_read_stat(directory, stat_name, &stat);
    return !error && proc_stat_lives(&stat);
}

static pid_t find_among_all(int directory)
{
    cleanup_free pid_t *tids = NULL;
    uint32_t count = 0;
    cleanup_error struct error *error = proc_file_list_numbers(directory, "task", &tids, &count);
    for (uint32_t i = 0; !error && i < count; i++) {
        char name[64];
        snprintf(name, sizeof(name), "task/%d/stat", tids[i]);
        if (lives(directory, name))
            return tids[i];
    }
    return 0;
}

pid_t living_thread_find(pid_t pid, int directory)
{
    return lives(directory, "stat") ? pid : find_among_all(directory);
}

/* Whether a folder is that of a thread of the process: its number may have gone to another one meanwhile. */
static bool is_of_process(int folder, pid_t pid)
{
    cleanup_buffer struct buffer text = {0};
    uint64_t group;
    cleanup_error struct error *error = proc_file_read(folder, "status", &text);
    return !error && proc_status_number(buffer_text(&text), text.len, "Tgid", 10, &group) && group == (uint64_t)pid;
}

int living_thread_open_folder(const char *proc, pid_t pid, int directory)
{
    pid_t tid = living_thread_find(pid, directory);
    if (tid != 0 && tid != pid) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%d", proc, tid);
        cleanup_fd int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0 && is_of_process(folder, pid))
            return hand_over_fd(&folder);
    }
    return fcntl(directory, F_DUPFD_CLOEXEC, 0);
}
