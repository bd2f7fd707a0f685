/* SPDX-License-Identifier: MIT */
/*
 * A process of our own for work that is risky, as reading somebody else's files with large libraries is: if it goes
 * wrong there, what is lost is one answer.
 *
 * It has no descriptors but its end of a socket, and those that are sent to it. It may read, write and allocate;
 * the kernel (seccomp(2)) refuses it everything else: to open a file, make a connection, start a program, reach for
 * another process, map code. Where the kernel has no seccomp filters, that part is missing.
 */
#ifndef BASE_CONFINED_H
#define BASE_CONFINED_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* A zeroed struct is one that does not run. */
struct confined {
    pid_t pid;       /* 0: it does not run */
    int socket;      /* our end: packets in order, each whole (SOCK_SEQPACKET), closed in programs that we start */
    clockid_t clock; /* of its CPU time */
};

/*
 * Does the work until its end of the socket has no other end any more. alarm(2) ends the process, also when we are gone
 * ourselves: for each piece of work that may not end.
 */
typedef void confined_work(int socket);

/* Starts the process. */
struct error *confined_start(confined_work *work, struct confined *ret);

/* Ends it, whatever it is at. Accepts one that does not run. */
void confined_stop(struct confined *confined);

/* The CPU time that all have had (of more than a hundred at once, some are left out). For any thread. */
uint64_t confined_used_ns(void);

#endif
