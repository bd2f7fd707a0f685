/* SPDX-License-Identifier: MIT */
#include "base/confined.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum {
    OWN_SOCKET = 0,    /* the descriptor that it has */
    SETUP_SECONDS = 2, /* after which it ends if it is not confined by then */
    CLOCK_LIMIT = 128
};

/* Of the CPU time of each that runs; 0 for a place that is free. */
static _Atomic clockid_t clocks[CLOCK_LIMIT];
static _Atomic uint64_t ended_ns; /* CPU time of those that do not any more */

static const rlim_t memory_limit = UINT64_C(2) << 30; /* bytes; what we had already counts, too */

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* What the C library needs for reading, writing, memory and locks. */
static const int allowed_calls[] = {
    SCMP_SYS(read),       SCMP_SYS(pread64),        SCMP_SYS(write),         SCMP_SYS(lseek),
    SCMP_SYS(fstat),      SCMP_SYS(close),          SCMP_SYS(recvmsg),       SCMP_SYS(sendmsg),
    SCMP_SYS(brk),        SCMP_SYS(munmap),         SCMP_SYS(mremap),        SCMP_SYS(madvise),
    SCMP_SYS(futex),      SCMP_SYS(getrandom),      SCMP_SYS(clock_gettime), SCMP_SYS(alarm),
    SCMP_SYS(setitimer),  SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),  SCMP_SYS(sched_yield),
    SCMP_SYS(exit_group),
};

/* And those of which one argument has to be so. */
struct limited_call {
    int call;
    struct scmp_arg_cmp argument;
};

static bool allow_limited_calls(scmp_filter_ctx filter)
{
    const struct limited_call calls[] = {
        /* memory that is no code */
        {SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        {SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
        /* as glibc's fstat() does it; a path would be seen as well, but not what is there */
        {SCMP_SYS(newfstatat), SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH)},
        /* as libelf does; not F_SETOWN, by which others get signals */
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0)},
        {SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0)},
    };
    int status = 0;
    for (size_t i = 0; i < array_size(calls) && status == 0; i++)
        status = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i].call, 1, &calls[i].argument);
    return status == 0;
}

static bool allow_calls(scmp_filter_ctx filter)
{
    int status = 0;
    for (size_t i = 0; i < array_size(allowed_calls) && status == 0; i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
    return status == 0 && allow_limited_calls(filter);
}

/*
 * A call that is not allowed fails, so that what needs it can say so, or do without. False without memory for the
 * filter; that the kernel takes none is no failure.
 */
static bool forbid_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool is_made = filter && allow_calls(filter) && seccomp_load(filter) != -ENOMEM;
    seccomp_release(filter);
    return is_made;
}

/* Lets SIGALRM end the process, for what may go on for ever. */
static void allow_alarm(void)
{
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGALRM);
    signal(SIGALRM, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &end, NULL);
}

static void limit(int resource, rlim_t value)
{
    const struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    setrlimit(resource, &limit);
}

/* Gives up what the work does not need; false if that fails, and then nothing may begin. */
static bool confine(int socket)
{
    if (dup2(socket, OWN_SOCKET) < 0)
        return false;
    closefrom(OWN_SOCKET + 1);
    allow_alarm();
    alarm(SETUP_SECONDS); /* libseccomp 2.5.4 can go on for ever when one of its allocations fails */
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    if (!IS_SANITIZED) /* a sanitizer has more than that */
        limit(RLIMIT_DATA, memory_limit);
    prctl(PR_SET_DUMPABLE, 0);
    bool is_confined = forbid_calls();
    alarm(0);
    return is_confined;
}

/* Signals for the whole group, as Ctrl-C in a terminal, are for us to answer; we end it. */
static void block_signals(sigset_t *ret_before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, ret_before);
}

/* Puts a clock in the place of another one; 0 is in all that are free. */
static void replace_clock(clockid_t old, clockid_t clock)
{
    for (int i = 0; i < CLOCK_LIMIT; i++) {
        clockid_t expected = old;
        if (atomic_compare_exchange_strong(&clocks[i], &expected, clock))
            return;
    }
}

static clockid_t clock_of(pid_t pid)
{
    clockid_t clock;
    return clock_getcpuclockid(pid, &clock) == 0 ? clock : 0;
}

struct error *confined_start(confined_work *work, struct confined *ret)
{
    int sockets[2];
    sigset_t before;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return error_from_errno(errno, "cannot make a socket");
    block_signals(&before);
    pid_t pid = fork();
    if (pid == 0) {
        if (confine(sockets[1]))
            work(OWN_SOCKET);
        _exit(0);
    }
    int errno_value = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(sockets[1]);
    if (pid < 0) {
        close(sockets[0]);
        return error_from_errno(errno_value, "cannot start a process");
    }
    *ret = (struct confined){.pid = pid, .socket = sockets[0], .clock = clock_of(pid)};
    replace_clock(0, ret->clock);
    return NULL;
}

/* 0 when it is that of nobody. */
static uint64_t time_of(clockid_t clock)
{
    struct timespec used;
    if (clock == 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000000U + (uint64_t)used.tv_nsec;
}

uint64_t confined_used_ns(void)
{
    uint64_t used_ns = atomic_load(&ended_ns);
    for (int i = 0; i < CLOCK_LIMIT; i++)
        used_ns += time_of(atomic_load(&clocks[i]));
    return used_ns;
}

void confined_stop(struct confined *confined)
{
    if (confined->pid == 0)
        return;
    atomic_fetch_add(&ended_ns, time_of(confined->clock));
    replace_clock(confined->clock, 0);
    close(confined->socket);
    kill(confined->pid, SIGKILL);
    while (waitpid(confined->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *confined = (struct confined){0};
}
