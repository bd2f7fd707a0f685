/* SPDX-License-Identifier: MIT */
#include "target/task.h"

#include "base/cleanup.h"
#include "descriptor.h"
#include "pid_namespace.h"
#include "target/departures.h"
#include "target/proc_text.h"
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { STAT_LEN_LIMIT = 1024 }; /* 52 numbers of at most 20 digits; what we use stands far before the end */

void task_allow_many(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

enum { NAME_LEN = 64 }; /* of a thread's file in /proc/PID */

static int open_file(const struct process *process, pid_t tid, const char *file)
{
    char name[NAME_LEN];
    snprintf(name, sizeof(name), "task/%d/%s", tid, file);
    return openat(process->directory, name, O_RDONLY | O_CLOEXEC);
}

static pid_t find_system_tid(const struct process *process, pid_t tid)
{
    char name[NAME_LEN];
    if (process->own_place <= 1)
        return process->own_place == 1 ? tid : 0;
    snprintf(name, sizeof(name), "task/%d", tid);
    cleanup_fd int folder = openat(process->directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? 0 : pid_namespace_own_number(folder, tid, process->own_place);
}

/* Reads one of the thread's files as a text that ends with NUL. Returns its length, or -1. */
static ssize_t read_file(const struct task *task, int fd, const char *file, char *text, size_t size)
{
    cleanup_fd int own_fd = fd < 0 ? open_file(task->process, task->tid, file) : -1;
    text[0] = '\0';
    if (fd < 0 && own_fd < 0)
        return -1;
    ssize_t len = pread(fd < 0 ? own_fd : fd, text, size - 1, 0);
    text[len < 0 ? 0 : len] = '\0';
    return len;
}

/* Opens one of the thread's files to be kept open, if enough descriptors are left for other things. Returns -1 if not.
 */
static int open_to_keep(const struct process *process, pid_t tid, const char *file)
{
    return descriptor_keep(open_file(process, tid, file));
}

struct error *task_init(struct task *task, const struct process *process, pid_t tid)
{
    *task = TASK_NONE;
    task->process = process;
    task->tid = tid;
    task->system_tid = find_system_tid(process, tid);
    task->stat = open_to_keep(process, tid, "stat");
    if (task->stat >= 0 || errno == EMFILE || errno == ENFILE)
        return NULL;
    if (errno == ENOENT || errno == ESRCH)
        return error_create(ERROR_TARGET_GONE, "thread %d of process %d has ended", tid, process->pid);
    return error_from_errno(errno, "cannot open the state of thread %d of process %d", tid, process->pid);
}

void task_deinit(struct task *task)
{
    cleanup_close_fd(&task->stat);
    cleanup_close_fd(&task->schedstat);
    cleanup_close_fd(&task->syscall);
    task->stat = task->schedstat = task->syscall = -1;
    task_forget_departures(task);
}

bool task_read_state(const struct task *task, struct task_state *ret)
{
    char text[STAT_LEN_LIMIT];
    struct proc_stat stat;
    bool is_known = task->tid != 0;
    ssize_t len = is_known ? read_file(task, task->stat, "stat", text, sizeof(text)) : -1;
    /* Without a descriptor for it, nothing is known; least of all that it has ended. */
    if (!is_known || (len < 0 && errno != ESRCH && errno != ENOENT)) {
        *ret = (struct task_state){.cpu = -1};
        return true;
    }
    if (len <= 0 || !proc_stat_parse(text, (size_t)len, &stat))
        return false;
    if (!proc_stat_lives(&stat))
        return false;
    *ret = (struct task_state){
        .is_active = stat.state == 'R',
        .is_stopped = stat.state == 'T' || stat.state == 't',
        .is_deaf = stat.state == 'D',
        .is_urgent = stat.policy == SCHED_FIFO || stat.policy == SCHED_RR || stat.policy == SCHED_DEADLINE,
        .cpu = stat.cpu,
    };
    return true;
}

/*
 * Linux fs/proc/base.c: proc_pid_syscall() has a word for a thread whose state is TASK_RUNNING; of others it has the
 * number of the system call in which they are, or -1, and registers, which of one that has ended are all 0 (with a
 * number of 0 on older kernels).
 */
enum task_activity task_read_activity(struct task *task, remote_addr *ret_futex)
{
    static const char running[] = "running\n", ended[] = "-1 0x0 0x0\n", ended_of_old[] = "0 0x0 0x0 0x0 ";
    char text[STAT_LEN_LIMIT];
    struct proc_syscall call;
    *ret_futex = 0;
    if (task->syscall < 0)
        task->syscall = open_to_keep(task->process, task->tid, "syscall");
    if (read_file(task, task->syscall, "syscall", text, sizeof(text)) <= 0 || strcmp(text, ended) == 0 ||
        strncmp(text, ended_of_old, sizeof(ended_of_old) - 1) == 0)
        return TASK_UNKNOWN;
    if (strcmp(text, running) == 0)
        return TASK_RUNS;
    if (proc_syscall_parse(text, &call) && call.number == SYS_futex)
        *ret_futex = call.arguments[0];
    return TASK_SLEEPS;
}

bool task_read_syscall(const struct task *task, struct proc_syscall *ret)
{
    char text[STAT_LEN_LIMIT];
    return read_file(task, task->syscall, "syscall", text, sizeof(text)) > 0 && proc_syscall_parse(text, ret);
}

bool task_read_futex(const struct task *task, remote_addr *ret)
{
    struct proc_syscall call;
    if (!task_read_syscall(task, &call) || call.number != SYS_futex)
        return false;
    *ret = call.arguments[0];
    return true;
}

bool task_read_times(struct task *task, struct task_times *ret)
{
    char text[STAT_LEN_LIMIT];
    struct proc_schedstat schedstat;
    if (task->schedstat < 0)
        task->schedstat = open_to_keep(task->process, task->tid, "schedstat");
    if (read_file(task, task->schedstat, "schedstat", text, sizeof(text)) <= 0 ||
        !proc_schedstat_parse(text, &schedstat))
        return false;
    *ret = (struct task_times){.run_ns = schedstat.run_ns, .wait_ns = schedstat.wait_ns, .runs = schedstat.runs};
    return true;
}

/* Begins to have a thread's departures noted. Returns whether that was tried. */
static bool begin_departures(struct task *task, bool with_registers)
{
    if (task->system_tid == 0)
        return false;
    if (!task->departures)
        task->departures = departures_create(with_registers);
    return task->departures && departures_begin(task->departures, task->system_tid);
}

bool task_has_departure(struct task *task)
{
    if (task->departures && departures_are_noted(task->departures))
        return true;
    begin_departures(task, true);
    return false;
}

bool task_note_departures(struct task *task, bool may_begin)
{
    if (task->departures)
        departures_are_noted(task->departures);
    return may_begin && begin_departures(task, false);
}

void task_rest_departures(const struct task *task)
{
    if (task->departures)
        departures_rest(task->departures);
}

void task_watch_departures(const struct task *task)
{
    if (task->departures)
        departures_watch(task->departures);
}

bool task_is_told_busy(const struct task *task)
{
    return task->departures && departures_tell_busy(task->departures);
}

void task_forget_departures(struct task *task)
{
    departures_destroy(task->departures);
    task->departures = NULL;
}

bool task_read_departure(const struct task *task, struct memory *memory, struct registers *ret)
{
    return task->departures && departures_read(task->departures, memory, ret);
}
