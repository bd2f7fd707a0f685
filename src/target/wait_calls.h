/* SPDX-License-Identifier: MIT */
/*
 * The system calls in which threads wait, as a table: which argument is what.
 */
#ifndef TARGET_WAIT_CALLS_H
#define TARGET_WAIT_CALLS_H

#include "target/waiting.h"

#include <stdint.h>

/* What a call's argument says of the time for which it waits at most. */
enum wait_time {
    TIME_NONE,
    TIME_MS,       /* a number of milliseconds; negative: no limit */
    TIME_TIMESPEC, /* a pointer to a length, or NULL; the kernel does not count it down meanwhile */
    TIME_TIMEVAL,
};

/* How a call names what it waits for. */
enum wait_subject {
    SUBJECT_NONE,
    SUBJECT_FILE,   /* one descriptor */
    SUBJECT_POLL,   /* an array of struct pollfd, and its length */
    SUBJECT_SELECT, /* a number of descriptors, and three sets */
    SUBJECT_EPOLL,
    SUBJECT_FUTEX,
    SUBJECT_CLOCK, /* clock_nanosleep: clock, flags, time */
    SUBJECT_FCNTL, /* a descriptor, of which locks are waited for */
    SUBJECT_CHILD, /* of wait4: its number */
    SUBJECT_ID,    /* of waitid: what it is the number of, and the number */
    SUBJECT_PATH,
};

struct wait_call {
    uint64_t number;
    enum waiting_kind kind;
    enum waiting_action action;
    enum wait_subject subject;
    uint8_t subject_argument;
    enum wait_time time;
    uint8_t time_argument;
};

/* NULL for a call of which no more than its name is known. */
const struct wait_call *wait_call_find(uint64_t number);

#endif
