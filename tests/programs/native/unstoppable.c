/* SPDX-License-Identifier: MIT */
/* A thread that nobody can stop for a while. Built by the test that uses it; unstoppable.py calls it. */
#include <time.h>
#include <unistd.h>

/* The caller of vfork() is in state D until its child ends, or runs another program. */
int wait_unstoppably(int seconds)
{
    pid_t child = vfork();
    if (child == 0) {
        const struct timespec time = {.tv_sec = seconds};
        nanosleep(&time, NULL);
        _exit(0);
    }
    return child;
}
