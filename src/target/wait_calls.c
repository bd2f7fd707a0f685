/* SPDX-License-Identifier: MIT */
#include "wait_calls.h"

#include "base/cleanup.h"

#include <sys/syscall.h>

/* Arguments as the section 2 manual pages of Linux have them. */
#define FILE_CALL(name, what)                                                                                          \
    {                                                                                                                  \
        SYS_##name, WAITING_FOR_FILES, what, SUBJECT_FILE, 0, TIME_NONE, 0                                             \
    }
#define PATH_CALL(name, what, arg)                                                                                     \
    {                                                                                                                  \
        SYS_##name, WAITING_FOR_PATH, what, SUBJECT_PATH, arg, TIME_NONE, 0                                            \
    }
#define POLL_CALL(name, how, unit, arg)                                                                                \
    {                                                                                                                  \
        SYS_##name, WAITING_FOR_FILES, WAITING_FOR_EVENTS, how, 0, unit, arg                                           \
    }

static const struct wait_call calls[] = {
    FILE_CALL(read, WAITING_TO_READ),
    FILE_CALL(readv, WAITING_TO_READ),
    FILE_CALL(pread64, WAITING_TO_READ),
    FILE_CALL(preadv, WAITING_TO_READ),
    FILE_CALL(preadv2, WAITING_TO_READ),
    FILE_CALL(recvfrom, WAITING_TO_READ),
    FILE_CALL(recvmsg, WAITING_TO_READ),
    FILE_CALL(recvmmsg, WAITING_TO_READ),
    FILE_CALL(getdents64, WAITING_TO_READ),
    FILE_CALL(write, WAITING_TO_WRITE),
    FILE_CALL(writev, WAITING_TO_WRITE),
    FILE_CALL(pwrite64, WAITING_TO_WRITE),
    FILE_CALL(pwritev, WAITING_TO_WRITE),
    FILE_CALL(pwritev2, WAITING_TO_WRITE),
    FILE_CALL(sendto, WAITING_TO_WRITE),
    FILE_CALL(sendmsg, WAITING_TO_WRITE),
    FILE_CALL(sendmmsg, WAITING_TO_WRITE),
    FILE_CALL(sendfile, WAITING_TO_WRITE),
    FILE_CALL(ftruncate, WAITING_TO_WRITE),
    FILE_CALL(fallocate, WAITING_TO_WRITE),
    FILE_CALL(accept, WAITING_TO_ACCEPT),
    FILE_CALL(accept4, WAITING_TO_ACCEPT),
    FILE_CALL(connect, WAITING_TO_CONNECT),
    FILE_CALL(flock, WAITING_TO_LOCK),
    FILE_CALL(fsync, WAITING_TO_SYNC),
    FILE_CALL(fdatasync, WAITING_TO_SYNC),
    FILE_CALL(sync_file_range, WAITING_TO_SYNC),
    FILE_CALL(syncfs, WAITING_TO_SYNC),
    FILE_CALL(ioctl, WAITING_TO_DO),
    FILE_CALL(close, WAITING_TO_DO),
    FILE_CALL(fstat, WAITING_TO_DO),
    FILE_CALL(splice, WAITING_TO_DO),
    FILE_CALL(tee, WAITING_TO_DO),
    FILE_CALL(copy_file_range, WAITING_TO_DO),
    FILE_CALL(io_uring_enter, WAITING_FOR_EVENTS),
    FILE_CALL(mq_timedreceive, WAITING_TO_READ),
    FILE_CALL(mq_timedsend, WAITING_TO_WRITE),
    {SYS_fcntl, WAITING_FOR_FILES, WAITING_TO_DO, SUBJECT_FCNTL, 0, TIME_NONE, 0},
    POLL_CALL(ppoll, SUBJECT_POLL, TIME_TIMESPEC, 2),
    POLL_CALL(pselect6, SUBJECT_SELECT, TIME_TIMESPEC, 4),
    POLL_CALL(epoll_pwait, SUBJECT_EPOLL, TIME_MS, 3),
    POLL_CALL(epoll_pwait2, SUBJECT_EPOLL, TIME_TIMESPEC, 3),
    PATH_CALL(openat, WAITING_TO_OPEN, 1),
    PATH_CALL(newfstatat, WAITING_TO_DO, 1),
    PATH_CALL(statx, WAITING_TO_DO, 1),
    PATH_CALL(faccessat, WAITING_TO_DO, 1),
    PATH_CALL(unlinkat, WAITING_TO_DO, 1),
    PATH_CALL(execve, WAITING_TO_DO, 0),
    {SYS_futex, WAITING_FOR_FUTEX, WAITING_TO_DO, SUBJECT_FUTEX, 0, TIME_NONE, 0},
    {SYS_nanosleep, WAITING_FOR_TIME, WAITING_TO_DO, SUBJECT_NONE, 0, TIME_TIMESPEC, 0},
    {SYS_clock_nanosleep, WAITING_FOR_TIME, WAITING_TO_DO, SUBJECT_CLOCK, 0, TIME_NONE, 0},
    {SYS_rt_sigtimedwait, WAITING_FOR_CALL, WAITING_TO_DO, SUBJECT_NONE, 0, TIME_TIMESPEC, 2},
    {SYS_wait4, WAITING_FOR_CHILD, WAITING_TO_DO, SUBJECT_CHILD, 0, TIME_NONE, 0},
    {SYS_waitid, WAITING_FOR_CHILD, WAITING_TO_DO, SUBJECT_ID, 0, TIME_NONE, 0},
/* What newer machines than x86-64 do not have. */
#ifdef SYS_poll
    POLL_CALL(poll, SUBJECT_POLL, TIME_MS, 2),
#endif
#ifdef SYS_select
    POLL_CALL(select, SUBJECT_SELECT, TIME_TIMEVAL, 4),
#endif
#ifdef SYS_epoll_wait
    POLL_CALL(epoll_wait, SUBJECT_EPOLL, TIME_MS, 3),
#endif
#ifdef SYS_open
    PATH_CALL(open, WAITING_TO_OPEN, 0),
    PATH_CALL(stat, WAITING_TO_DO, 0),
    PATH_CALL(lstat, WAITING_TO_DO, 0),
    PATH_CALL(access, WAITING_TO_DO, 0),
    PATH_CALL(unlink, WAITING_TO_DO, 0),
#endif
};

const struct wait_call *wait_call_find(uint64_t number)
{
    for (size_t i = 0; i < array_size(calls); i++) {
        if (calls[i].number == number)
            return &calls[i];
    }
    return NULL;
}
