/* SPDX-License-Identifier: MIT */
/*
 * Whose a process is, as far as the kernel asks before it lets another one read it. Inside of the room only.
 */
#ifndef TARGET_CREDENTIALS_H
#define TARGET_CREDENTIALS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CREDENTIALS_IDS = 3 }; /* real, effective, saved */

struct credentials {
    uint64_t users[CREDENTIALS_IDS], groups[CREDENTIALS_IDS];
    uint64_t permitted; /* capabilities, a bit each */
    bool is_protected;  /* it is not dumpable: its files in procfs belong to root */
};

/* folder: /proc/PID, open. False when it does not tell. */
bool credentials_read(int folder, struct credentials *ret);

/* An id of a process that is not that of who wants to read it. */
struct credentials_difference {
    bool is_user; /* or else it is a group's */
    uint64_t theirs, ours;
};

/*
 * Whether all of these ids are one user's; else *ret becomes the first that is not. The kernel asks for that, and that
 * the process is not protected, of who has no capability: Linux kernel/ptrace.c: __ptrace_may_access().
 */
bool credentials_are_of(const struct credentials *credentials, uint64_t user, uint64_t group,
                        struct credentials_difference *ret);

/* Says whose the process is: ERROR_PERMISSION. */
struct error *credentials_describe(const struct credentials_difference *difference, pid_t pid);

#endif
