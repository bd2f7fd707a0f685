/* SPDX-License-Identifier: MIT */
#include "target/guard.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "guard_timer.h"
#include "proc_file.h"
#include "target/cpu.h"
#include "target/proc_text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TIME_NS = 3000000, /* for which a thread may hold others: ten times as long as that takes */
    NAP_NS = 2000000,  /* of the guard while it does so for longer, as we can be stopped at any time later, too */
};

/*
 * An epoll instance with the timers of all threads. The guard has the same one, and so timers that are made after it
 * was: Linux fs/eventpoll.c waits for open files, whoever has descriptors of them. A timer that has run out stays so
 * until it is set anew, as nobody reads it (fs/timerfd.c).
 */
static int timers = -1;
static pid_t guard;

enum { TIMERS = STDIN_FILENO, WARD = STDOUT_FILENO }; /* the guard's only descriptors: the timers, and /proc/PID */

/* Whether any thread of ours is stopped. The main one may be slow to, as it writes files. */
static bool is_stopped(void)
{
    cleanup_free pid_t *tids = NULL;
    uint32_t count;
    char name[64];
    cleanup_error struct error *error = proc_file_list_numbers(WARD, "task", &tids, &count);
    for (uint32_t i = 0; !error && i < count; i++) {
        struct proc_stat stat = {0};
        snprintf(name, sizeof(name), "task/%d/stat", tids[i]);
        cleanup_error struct error *gone = proc_file_read_stat(WARD, name, &stat);
        if (!gone && stat.state == 'T')
            return true;
    }
    return false;
}

/*
 * Only who is stopped is sent SIGCONT, as that takes back every SIGTSTP that waits until nobody is held: Linux
 * kernel/signal.c: prepare_signal().
 */
static void stand_guard(pid_t ward)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};
    struct epoll_event event;
    for (;;) {
        int count = epoll_wait(TIMERS, &event, 1, -1);
        if (count < 0 && errno != EINTR)
            return;
        if (count > 0 && is_stopped() && kill(ward, SIGCONT) != 0)
            return;
        nanosleep(&nap, NULL);
    }
}

/* In the guard: ends with the ward, keeps none of its files open, and is in nobody's way. */
static void be_guard(pid_t ward, int folder)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setpgid(0, 0); /* what stops our process group does not stop it */
    prctl(PR_SET_NAME, "pyspyc-guard");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != ward)
        return;
    int safe = fcntl(folder, F_DUPFD, WARD + 1); /* in case that it is where the timers go */
    if (dup2(timers, TIMERS) < 0 || dup2(safe, WARD) < 0)
        return;
    closefrom(WARD + 1);
    /* Where many want the CPUs, who is held waits for us, too. */
    cpu_wake_promptly();
    cpu_take_precedence(getpid(), true);
    stand_guard(ward);
}

void guard_start(void)
{
    pid_t ward = getpid();
    cleanup_fd int folder = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    timers = epoll_create1(EPOLL_CLOEXEC);
    guard = folder >= 0 && timers >= 0 ? fork() : -1;
    if (guard == 0) {
        be_guard(ward, folder);
        kill(getpid(), SIGKILL); /* nothing of what we do is the guard's to do */
    }
    if (guard < 0)
        guard_end();
}

void guard_end(void)
{
    if (guard > 0) {
        kill(guard, SIGKILL);
        while (waitpid(guard, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    guard = 0;
    cleanup_close_fd(&timers);
    timers = -1;
}

int guard_timer_open(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int timer = timers >= 0 ? timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK) : -1;
    if (timer < 0)
        return -1;
    if (epoll_ctl(timers, EPOLL_CTL_ADD, timer, &event) == 0)
        return timer;
    close(timer);
    return -1;
}

static void set_timer(int timer, long time_ns)
{
    const struct itimerspec times = {.it_value.tv_nsec = time_ns};
    if (timer >= 0)
        timerfd_settime(timer, 0, &times, NULL);
}

void guard_timer_begin(int timer)
{
    set_timer(timer, TIME_NS);
}

void guard_timer_end(int timer)
{
    set_timer(timer, 0);
}
