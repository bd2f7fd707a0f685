/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a profiler, tells for how long it holds threads with ptrace: one line for each, "asked held" in
 * nanoseconds, into the file $HOLDS. asked: from PTRACE_INTERRUPT to the end of PTRACE_DETACH, more than the thread can
 * have stood still; held: from when the profiler came to know that it stands still.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HOLD_LIMIT = 64, RECORD_LIMIT = 1 << 20 };

struct hold {
    pid_t tid;
    uint64_t asked_ns, held_ns;
};

static _Thread_local struct hold holds[HOLD_LIMIT];
static uint64_t records[RECORD_LIMIT][2];
static _Atomic uint32_t record_count;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static struct hold *find(pid_t tid)
{
    for (int i = 0; i < HOLD_LIMIT; i++) {
        if (holds[i].tid == tid)
            return &holds[i];
    }
    return NULL;
}

static void end_hold(struct hold *hold)
{
    uint64_t end_ns = now_ns();
    uint32_t index = record_count++;
    if (index < RECORD_LIMIT) {
        records[index][0] = end_ns - hold->asked_ns;
        records[index][1] = hold->held_ns ? end_ns - hold->held_ns : 0;
    }
    *hold = (struct hold){0};
}

long ptrace(enum __ptrace_request request, ...)
{
    static long (*next)(enum __ptrace_request, pid_t, void *, void *);
    va_list arguments;
    va_start(arguments, request);
    pid_t tid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "ptrace");
    struct hold *hold = find(request == PTRACE_INTERRUPT ? 0 : tid);
    if (request == PTRACE_INTERRUPT && hold)
        *hold = (struct hold){.tid = tid, .asked_ns = now_ns()};
    long result = next(request, tid, address, data);
    if (request == PTRACE_DETACH && hold)
        end_hold(hold);
    return result;
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    static int (*next)(idtype_t, id_t, siginfo_t *, int);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "waitid");
    int result = next(type, id, info, options);
    struct hold *hold = type == P_PID ? find((pid_t)id) : NULL;
    if (hold && result == 0 && info->si_pid != 0 && hold->held_ns == 0)
        hold->held_ns = now_ns();
    return result;
}

__attribute__((destructor)) static void write_records(void)
{
    const char *path = getenv("HOLDS");
    FILE *file = path && record_count > 0 ? fopen(path, "w") : NULL;
    for (uint32_t i = 0; file && i < record_count && i < RECORD_LIMIT; i++)
        fprintf(file, "%" PRIu64 " %" PRIu64 "\n", records[i][0], records[i][1]);
    if (file)
        fclose(file);
}
