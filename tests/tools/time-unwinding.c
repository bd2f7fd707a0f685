/* SPDX-License-Identifier: MIT */
/*
 * time-unwinding [DEPTH [ROUNDS]]: unwinds copies of its own stack, of at least DEPTH frames, and prints how long one
 * takes: with nothing known, and in the steady state, when all rules are.
 */
#include "base/cleanup.h"
#include "native/unwinder.h"
#include "own_process.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct own_stack taken;
static remote_addr end;

static int compare(const void *a, const void *b);

/* Through the C library, which calls back, and with frames of several shapes. */
__attribute__((noinline)) static int descend(int depth)
{
    volatile char filler[40] = {0};
    int items[3] = {depth, depth, depth};
    if (depth <= 0) {
        own_stack_take(&taken, end);
        return filler[0];
    }
    if (depth % 4 == 0)
        qsort(items, 2, sizeof(*items), compare);
    else
        items[0] = descend(depth - 1);
    return items[0] + filler[1];
}

static int compare(const void *a, const void *b)
{
    (void)b;
    static int entered;
    int depth = *(const int *)a;
    if (entered == depth)
        return 0;
    entered = depth;
    return descend(depth - 1);
}

static void fail(struct error *error)
{
    fprintf(stderr, "time-unwinding: %s\n", error->sentence);
    exit(1);
}

int main(int argc, char **argv)
{
    int depth = argc > 1 ? atoi(argv[1]) : 30, rounds = argc > 2 ? atoi(argv[2]) : 20000;
    cleanup_maps struct maps maps;
    cleanup_modules struct modules *modules = NULL;
    struct error *error = modules_create(&own_opener, &own_memory, &modules);
    end = own_stack_end();
    own_maps_init(&maps);
    if (!error)
        error = modules_update(modules, &maps);
    if (error)
        fail(error);
    descend(depth);
    const struct native_frame *frames;
    uint32_t count = 0;
    double cold = 0;
    enum unwind_end ended = UNWIND_LOST;
    for (int i = 0; i < 20; i++) {
        cleanup_unwinder struct unwinder *unwinder = NULL;
        error = unwinder_create(modules, &unwinder);
        if (error)
            fail(error);
        double before = now_us();
        ended = unwinder_run(unwinder, &taken.stack, &frames, &count);
        cold += (now_us() - before) / 20;
    }
    cleanup_unwinder struct unwinder *unwinder = NULL;
    error = unwinder_create(modules, &unwinder);
    if (error)
        fail(error);
    unwinder_run(unwinder, &taken.stack, &frames, &count);
    double before = now_us();
    for (int i = 0; i < rounds; i++)
        unwinder_run(unwinder, &taken.stack, &frames, &count);
    double same = (now_us() - before) / rounds;
    before = now_us();
    for (int i = 0; i < rounds; i++) {
        unwinder_update(unwinder);
        unwinder_run(unwinder, &taken.stack, &frames, &count);
    }
    double other = (now_us() - before) / rounds;
    printf(
        "frames %u (glibc says %d), end %d, stack %zu bytes, cold %.1f us, the same stack %.2f us, another %.2f us\n",
        count, taken.truth_count, (int)ended, taken.stack.len, cold, same, other);
    free((void *)(uintptr_t)taken.stack.bytes);
    return 0;
}
