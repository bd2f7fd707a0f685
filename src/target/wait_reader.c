/* SPDX-License-Identifier: MIT */
#include "target/waiting.h"

#include "target/open_file.h"
#include "target/proc_text.h"
#include "target/task.h"
#include "wait_calls.h"
#include "watched_files.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/wait.h>
#include <time.h>

enum {
    NS = 1000000000,
    LATE_NS = NS, /* by so much a deadline can have passed while the thread is not awake yet */
    SECONDS_LIMIT = INT32_MAX,
};

/* Where a call's arguments are, and where what they say goes. */
struct reading {
    const struct task *task;
    struct memory *memory;
    const uint64_t *arguments;
    struct waiting *waiting;
};

/* Reads two words, of which the second counts parts of a second. False when they are no time. */
static bool read_time(const struct reading *reading, remote_addr address, int64_t part_ns, int64_t *ret_ns)
{
    int64_t words[2];
    if (address == 0 || memory_read(reading->memory, address, words, sizeof(words)) != MEMORY_OK || words[0] < 0 ||
        words[0] > SECONDS_LIMIT || words[1] < 0 || words[1] >= NS / part_ns)
        return false;
    *ret_ns = words[0] * NS + words[1] * part_ns;
    return true;
}

/* What is left until a time of a clock. In a time namespace of its own, a process has another one than we. */
static void set_deadline(const struct reading *reading, remote_addr address, clockid_t clock)
{
    struct timespec now;
    int64_t deadline_ns;
    if (!read_time(reading, address, 1, &deadline_ns) || clock_gettime(clock, &now) != 0)
        return;
    int64_t left_ns = deadline_ns - ((int64_t)now.tv_sec * NS + now.tv_nsec);
    if (left_ns > -LATE_NS)
        reading->waiting->remaining_ns = left_ns > 0 ? left_ns : 0;
}

static void set_limit(const struct reading *reading, enum wait_time time, uint64_t argument)
{
    int64_t length_ns = -1;
    bool is_known = false;
    switch (time) {
    case TIME_NONE:
        return;
    case TIME_MS:
        length_ns = (int64_t)(int32_t)argument * (NS / 1000);
        is_known = length_ns >= 0;
        break;
    case TIME_TIMESPEC:
        is_known = read_time(reading, argument, 1, &length_ns);
        break;
    case TIME_TIMEVAL:
        is_known = read_time(reading, argument, 1000, &length_ns);
        break;
    }
    if (is_known)
        reading->waiting->limit_ns = length_ns;
}

/* Linux include/uapi/linux/futex.h, and futex(2): which commands take a length and which a point in time. */
static void read_futex(const struct reading *reading)
{
    struct waiting *waiting = reading->waiting;
    uint64_t operation = reading->arguments[1], time = reading->arguments[3];
    clockid_t clock = operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    waiting->futex = reading->arguments[0];
    waiting->futex_value = (uint32_t)reading->arguments[2];
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        set_limit(reading, TIME_TIMESPEC, time);
        break;
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
        set_deadline(reading, time, clock);
        break;
    case FUTEX_LOCK_PI:
        waiting->is_futex_with_tid = true;
        set_deadline(reading, time, CLOCK_REALTIME);
        break;
    case FUTEX_LOCK_PI2:
        waiting->is_futex_with_tid = true;
        set_deadline(reading, time, clock);
        break;
    default:
        break;
    }
}

static void read_clock(const struct reading *reading)
{
    clockid_t clock = (clockid_t)reading->arguments[0];
    if (reading->arguments[1] & TIMER_ABSTIME)
        set_deadline(reading, reading->arguments[2], clock);
    else
        set_limit(reading, TIME_TIMESPEC, reading->arguments[2]);
}

/* A call that watches no files is used to sleep; one file that is another process stands for its end. */
static void judge_files(const struct reading *reading)
{
    struct waiting *waiting = reading->waiting;
    if (waiting->file_count == 0)
        waiting->kind = WAITING_FOR_TIME;
    if (waiting->file_count != 1 || waiting->more_files > 0 ||
        !open_file_is_pidfd(reading->task, waiting->files[0], &waiting->shown_child))
        return;
    waiting->kind = WAITING_FOR_CHILD;
    waiting->file_count = 0;
}

static void read_child(struct waiting *waiting, int64_t number)
{
    waiting->child = number > 0 ? number : -1;
}

static void read_child_of_id(const struct reading *reading)
{
    struct waiting *waiting = reading->waiting;
    switch ((idtype_t)reading->arguments[0]) {
    case P_PID:
        read_child(waiting, (int32_t)reading->arguments[1]);
        break;
    case P_PIDFD:
        open_file_is_pidfd(reading->task, (int32_t)reading->arguments[1], &waiting->shown_child);
        break;
    case P_ALL:
    case P_PGID:
        break;
    }
}

static void add_file(struct waiting *waiting, int32_t file)
{
    waiting->files[waiting->file_count++] = file;
}

static void read_subject(const struct reading *reading, const struct wait_call *call)
{
    struct waiting *waiting = reading->waiting;
    uint64_t subject = reading->arguments[call->subject_argument];
    switch (call->subject) {
    case SUBJECT_NONE:
        break;
    case SUBJECT_FILE:
        add_file(waiting, (int32_t)subject);
        break;
    case SUBJECT_FCNTL:
        add_file(waiting, (int32_t)subject);
        if (reading->arguments[1] == F_SETLKW || reading->arguments[1] == F_OFD_SETLKW)
            waiting->action = WAITING_TO_LOCK;
        break;
    case SUBJECT_POLL:
        if (watched_files_of_poll(reading->memory, subject, reading->arguments[1], waiting))
            judge_files(reading);
        break;
    case SUBJECT_SELECT:
        if (watched_files_of_select(reading->memory, subject, &reading->arguments[1], waiting))
            judge_files(reading);
        break;
    case SUBJECT_EPOLL:
        waiting->poller = (int32_t)subject;
        watched_files_of_epoll(reading->task, waiting->poller, waiting);
        break;
    case SUBJECT_FUTEX:
        read_futex(reading);
        break;
    case SUBJECT_CLOCK:
        read_clock(reading);
        break;
    case SUBJECT_CHILD:
        read_child(waiting, (int32_t)subject);
        break;
    case SUBJECT_ID:
        read_child_of_id(reading);
        break;
    case SUBJECT_PATH:
        waiting->path = subject;
        break;
    }
}

bool waiting_read(const struct task *task, struct memory *memory, struct waiting *ret)
{
    struct proc_syscall call;
    if (!task_read_syscall(task, &call))
        return false;
    *ret = (struct waiting){
        .kind = WAITING_FOR_CALL,
        .action = WAITING_TO_DO,
        .number = call.number,
        .system_call = system_call_name(call.number),
        .remaining_ns = -1,
        .limit_ns = -1,
        .child = -1,
        .shown_child = -1,
        .poller = -1,
    };
    const struct wait_call *row = wait_call_find(call.number);
    if (!row)
        return true;
    const struct reading reading = {task, memory, call.arguments, ret};
    ret->kind = row->kind;
    ret->action = row->action;
    read_subject(&reading, row);
    set_limit(&reading, row->time, call.arguments[row->time_argument]);
    return true;
}
