/* SPDX-License-Identifier: MIT */
#include "target/task.h"

#include "base/cleanup.h"
#include "target/proc_text.h"
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

enum { STAT_LEN_LIMIT = 1024 }; /* 52 numbers of at most 20 digits; what we use stands far before the end */

void task_allow_many(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

struct error *task_init(struct task *task, const struct process *process, pid_t tid)
{
    char name[64];
    snprintf(name, sizeof(name), "task/%d/stat", tid);
    *task = TASK_NONE;
    task->tid = tid;
    task->stat = openat(process->directory, name, O_RDONLY | O_CLOEXEC);
    if (task->stat >= 0)
        return NULL;
    if (errno == ENOENT || errno == ESRCH)
        return error_create(ERROR_TARGET_GONE, "thread %d of process %d has ended", tid, process->pid);
    return error_from_errno(errno, "cannot open the state of thread %d of process %d", tid, process->pid);
}

void task_deinit(struct task *task)
{
    cleanup_close_fd(&task->stat);
    cleanup_close_fd(&task->schedstat);
    task->stat = task->schedstat = -1;
}

bool task_read_state(const struct task *task, struct task_state *ret)
{
    char text[STAT_LEN_LIMIT];
    struct proc_stat stat;
    ssize_t len = pread(task->stat, text, sizeof(text), 0);
    if (len <= 0 || !proc_stat_parse(text, (size_t)len, &stat))
        return false;
    if (!proc_stat_lives(&stat))
        return false;
    *ret = (struct task_state){
        .is_active = stat.state == 'R',
        .is_stopped = stat.state == 'T' || stat.state == 't',
        .cpu = stat.cpu,
    };
    return true;
}

bool task_read_runs(struct task *task, const struct process *process, uint64_t *ret)
{
    char text[64];
    if (task->schedstat < 0) {
        snprintf(text, sizeof(text), "task/%d/schedstat", task->tid);
        task->schedstat = openat(process->directory, text, O_RDONLY | O_CLOEXEC);
    }
    if (task->schedstat < 0)
        return false;
    ssize_t len = pread(task->schedstat, text, sizeof(text) - 1, 0);
    if (len <= 0)
        return false;
    text[len] = '\0';
    return proc_schedstat_runs(text, ret);
}
