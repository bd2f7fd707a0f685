/* SPDX-License-Identifier: MIT */
/*
 * C functions that call back into Python, and one that tells on which C stack it is and then stays there. Built by the
 * test that uses it; nest.py calls it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FRAME_LIMIT = 1000 };

typedef int callback(int depth);

static volatile int is_told_to_end;
static int doorbell[2];
static char text[200000];

/* Waits for the end of standard input on a thread that Python knows nothing of. */
static void *nest_watch(void *unused)
{
    char byte;
    while (read(0, &byte, 1) > 0)
        ;
    is_told_to_end = 1;
    close(doorbell[1]);
    return unused;
}

int nest_begin(void)
{
    pthread_t thread;
    return pipe(doorbell) == 0 && pthread_create(&thread, NULL, nest_watch, NULL) == 0 ? 0 : -1;
}

/* As JSON: [[file, address in it, name or ""], ...], innermost first; what glibc's unwinder says. */
static int describe(void *const *pcs, int count)
{
    int len = snprintf(text, sizeof(text), "[");
    for (int i = 0; i < count; i++) {
        Dl_info info;
        const void *call = (const char *)pcs[i] - 1;
        int is_known = dladdr(call, &info);
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%s[\"%s\", %lu, \"%s\"]", i > 0 ? ", " : "",
                        is_known ? info.dli_fname : "",
                        (unsigned long)((uintptr_t)call - (is_known ? (uintptr_t)info.dli_fbase : 0)),
                        is_known && info.dli_sname ? info.dli_sname : "");
    }
    return len + snprintf(text + len, sizeof(text) - (size_t)len, "]");
}

/* Says, on standard output, that all is in place: what Python says of it, and the C stack. */
static void say(const char *words, void *const *pcs, int count)
{
    describe(pcs, count);
    printf("{\"python\": %s, \"c\": %s}\n", words, text);
    fflush(stdout);
}

int nest_spin(const char *words)
{
    void *pcs[FRAME_LIMIT];
    int rounds = 0;
    say(words, pcs, backtrace(pcs, FRAME_LIMIT));
    while (!is_told_to_end)
        rounds++;
    return rounds;
}

int nest_sleep(const char *words)
{
    void *pcs[FRAME_LIMIT];
    char byte;
    int count = backtrace(pcs, FRAME_LIMIT);
    say(words, pcs, count);
    return (int)read(doorbell[0], &byte, 1);
}

int nest_a(callback *call, int depth)
{
    return call(depth) + 1;
}

int nest_b(callback *call, int depth)
{
    return call(depth) + 2;
}

/* Calls itself some times before it calls back. */
int nest_c(callback *call, int depth)
{
    char room[100];
    memset(room, depth, sizeof(room));
    return (depth > 0 ? nest_c(call, depth - 1) : call(depth)) + room[depth];
}
