/* SPDX-License-Identifier: MIT */
/*
 * Counts what comes: queued signals with numbers, a timer's signals, bytes through a pipe. Built by the test that uses
 * it; signals.py calls it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { EACH_NS = 1000000 };

static volatile int came, last, is_out_of_order, wanted;
static pid_t receiver;
static int ends[2];

static void rest(void)
{
    struct timespec time = {.tv_nsec = EACH_NS};
    while (nanosleep(&time, &time) != 0)
        ;
}

static void count(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    is_out_of_order |= info->si_value.sival_int != last + 1;
    last = info->si_value.sival_int;
    came++;
}

/* All signals are for the thread that computes or sleeps. */
static void block_all(void)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static void *send_signals(void *unused)
{
    block_all();
    for (int i = 1; i <= wanted; i++) {
        while (sigqueue(receiver, SIGRTMIN, (union sigval){.sival_int = i}) != 0)
            rest();
        rest();
    }
    return unused;
}

static void *send_bytes(void *unused)
{
    block_all();
    for (int i = 0; i < wanted; i++) {
        unsigned char byte = (unsigned char)i;
        if (write(ends[1], &byte, 1) != 1)
            abort();
        rest();
    }
    return unused;
}

static int begin(void *(*sender)(void *), int count_wanted)
{
    pthread_t thread;
    wanted = count_wanted;
    receiver = getpid();
    return pthread_create(&thread, NULL, sender, NULL);
}

/* To be called by the main thread, which must be the only one. */
int signals_queued(int count_wanted, int is_sleeping)
{
    struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN, &action, NULL);
    if (begin(send_signals, count_wanted) != 0)
        return -1;
    while (came < wanted) {
        if (is_sleeping)
            poll(NULL, 0, 5000);
    }
    printf("{\"sent\": %d, \"came\": %d, \"in_order\": %s}\n", wanted, came, is_out_of_order ? "false" : "true");
    return fflush(stdout);
}

static void count_timer(int number)
{
    (void)number;
    came++;
}

int signals_timer(int count_wanted)
{
    struct sigaction action = {.sa_handler = count_timer};
    struct itimerval each = {{0, EACH_NS / 1000}, {0, EACH_NS / 1000}};
    sigaction(SIGVTALRM, &action, NULL);
    setitimer(ITIMER_VIRTUAL, &each, NULL);
    while (came < count_wanted)
        ;
    each = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_VIRTUAL, &each, NULL);
    printf("{\"came\": %d}\n", count_wanted);
    return fflush(stdout);
}

/* Reads what comes, and polls before each second byte; nobody sends a signal. */
int signals_calls(int count_wanted)
{
    int interrupted = 0, wrong = 0, bytes = 0;
    if (pipe(ends) != 0 || begin(send_bytes, count_wanted) != 0)
        return -1;
    while (bytes < wanted) {
        struct pollfd file = {.fd = ends[0], .events = POLLIN};
        unsigned char byte;
        if (bytes % 2 && poll(&file, 1, 60000) != 1) {
            interrupted += errno == EINTR;
            wrong += errno != EINTR;
            continue;
        }
        ssize_t len = read(ends[0], &byte, 1);
        interrupted += len < 0 && errno == EINTR;
        if (len != 1)
            continue;
        wrong += byte != (unsigned char)bytes;
        bytes++;
    }
    printf("{\"bytes\": %d, \"interrupted\": %d, \"wrong\": %d}\n", bytes, interrupted, wrong);
    return fflush(stdout);
}
