/*
 * What a profiler's timer costs when it does nothing: one sleep to an absolute deadline an interval, and no more.
 *
 *     tick RATE SECONDS [CPU]
 *
 * The deadlines are uniformly random, one in each interval of 1/RATE; timer slack is 1 ns; with CPU the program is
 * pinned there. Prints one line of JSON: ticks, CPU time of this program a tick, and how late the median wake-up was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_S 1000000000ULL

struct result {
    uint64_t ticks;
    uint64_t cpu_ns;
    uint64_t median_late_ns;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t cpu_ns(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void sleep_until(uint64_t deadline_ns)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / NS_PER_S),
        .tv_nsec = (long)(deadline_ns % NS_PER_S),
    };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR)
        ;
}

static int pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* `late_ns` holds room for `ticks` values. */
static struct result run(uint64_t ticks, uint64_t interval_ns, uint64_t *late_ns)
{
    struct result result = {.ticks = ticks};
    uint64_t start_ns = now_ns(), cpu_before_ns = cpu_ns();

    for (uint64_t i = 0; i < ticks; i++) {
        uint64_t deadline_ns = start_ns + i * interval_ns + (uint64_t)(drand48() * (double)interval_ns);

        sleep_until(deadline_ns);
        uint64_t woken_ns = now_ns();
        late_ns[i] = woken_ns > deadline_ns ? woken_ns - deadline_ns : 0;
    }
    result.cpu_ns = cpu_ns() - cpu_before_ns;
    qsort(late_ns, ticks, sizeof(*late_ns), compare);
    result.median_late_ns = late_ns[ticks / 2];
    return result;
}

int main(int argc, char **argv)
{
    double rate = argc > 2 ? strtod(argv[1], NULL) : 0;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 0;

    if (rate < 1 || rate > 1e6 || seconds <= 0 || seconds > 3600) {
        fprintf(stderr, "usage: tick RATE SECONDS [CPU]\n");
        return 2;
    }
    if (argc > 3 && pin((int)strtol(argv[3], NULL, 10)) != 0) {
        perror("tick: cannot pin itself to that CPU");
        return 1;
    }
    uint64_t ticks = (uint64_t)(rate * seconds) + 1;
    uint64_t *late_ns = calloc(ticks, sizeof(*late_ns));
    if (!late_ns) {
        perror("tick");
        return 1;
    }
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    struct result result = run(ticks, (uint64_t)((double)NS_PER_S / rate), late_ns);
    free(late_ns);
    int printed = printf("{\"ticks\": %llu, \"cpu_us_per_tick\": %.3f, \"median_late_us\": %.1f}\n",
                         (unsigned long long)result.ticks, (double)result.cpu_ns / (double)result.ticks / 1e3,
                         (double)result.median_late_ns / 1e3);
    return printed < 0 || fflush(stdout) != 0;
}
