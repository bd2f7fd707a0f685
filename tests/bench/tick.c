/*
 * What a profiler's timer costs when it does nothing: one sleep to an absolute deadline an interval, and no more.
 *
 *     tick RATE SECONDS [CPU]
 *
 * It sleeps as a sampling thread of pyspyc does (src/target/cpu.c, src/sampler/relay.c): a timed wait for a semaphore
 * that nobody posts, timer slack of 1 ns, a scheduling slice of 0.1 ms, and with CPU pinned there. The deadlines are
 * uniformly random, one in each interval of 1/RATE; intervals that are over when it wakes up are missed
 * (src/sampler/schedule.c).
 *
 * Prints one line of JSON: ticks and missed intervals, CPU time of this program a tick, how late the median wake-up
 * was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ULL
#define SLICE_NS 100000

struct result {
    uint64_t ticks;
    uint64_t missed;
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

static void sleep_until(sem_t *never, uint64_t deadline_ns)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / NS_PER_S),
        .tv_nsec = (long)(deadline_ns % NS_PER_S),
    };

    while (sem_clockwait(never, CLOCK_MONOTONIC, &deadline) != 0 && errno == EINTR)
        ;
}

/* Linux include/uapi/linux/sched/types.h: struct sched_attr, first version. */
struct scheduling {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* of an ordinary thread, from 6.12 on: its slice */
    uint64_t deadline_ns;
    uint64_t period_ns;
};

static void wake_promptly(void)
{
    struct scheduling scheduling = {.size = sizeof(scheduling)};

    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    if (syscall(SYS_sched_getattr, 0, &scheduling, sizeof(scheduling), 0) != 0)
        return;
    scheduling.runtime_ns = SLICE_NS;
    syscall(SYS_sched_setattr, 0, &scheduling, 0);
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

/* `late_ns` holds room for a value for each interval. */
static struct result run(uint64_t intervals, uint64_t interval_ns, uint64_t *late_ns)
{
    struct result result = {0};
    sem_t never;
    sem_init(&never, 0, 0);
    uint64_t start_ns = now_ns(), cpu_before_ns = cpu_ns();

    for (uint64_t i = 0; i < intervals; i++) {
        uint64_t deadline_ns = start_ns + i * interval_ns + (uint64_t)(drand48() * (double)interval_ns);

        sleep_until(&never, deadline_ns);
        uint64_t woken_ns = now_ns();
        late_ns[result.ticks++] = woken_ns > deadline_ns ? woken_ns - deadline_ns : 0;
        uint64_t running = (woken_ns - start_ns) / interval_ns;
        if (running > i + 1) {
            uint64_t next = running < intervals ? running : intervals;
            result.missed += next - (i + 1);
            i = next - 1;
        }
    }
    result.cpu_ns = cpu_ns() - cpu_before_ns;
    sem_destroy(&never);
    qsort(late_ns, result.ticks, sizeof(*late_ns), compare);
    result.median_late_ns = late_ns[result.ticks / 2];
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
    uint64_t intervals = (uint64_t)(rate * seconds) + 1;
    uint64_t *late_ns = calloc(intervals, sizeof(*late_ns));
    if (!late_ns) {
        perror("tick");
        return 1;
    }
    wake_promptly();
    struct result result = run(intervals, (uint64_t)((double)NS_PER_S / rate), late_ns);
    free(late_ns);
    int printed = printf("{\"ticks\": %llu, \"missed\": %llu, \"cpu_us_per_tick\": %.3f, \"median_late_us\": %.1f}\n",
                         (unsigned long long)result.ticks, (unsigned long long)result.missed,
                         (double)result.cpu_ns / (double)result.ticks / 1e3, (double)result.median_late_ns / 1e3);
    return printed < 0 || fflush(stdout) != 0;
}
