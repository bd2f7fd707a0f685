/* SPDX-License-Identifier: MIT */
#include "target/cpu.h"

#include "base/cleanup.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    SLICE_NS = 100000,
    THREAD_STACK_LEN = 256 * 1024, /* bytes */
    /* glibc would take the soft limit of the main thread's stack, which may be far less. Demanglers go deep. */
    WORKER_STACK_LEN = 4 * 1024 * 1024,
};

/* Sets up attributes for a small thread on one CPU. */
static bool set_attributes(pthread_attr_t *attributes, int cpu)
{
    cpu_set_t *set = CPU_ALLOC(CPU_LIMIT);
    if (!set)
        return false;
    size_t len = CPU_ALLOC_SIZE(CPU_LIMIT);
    CPU_ZERO_S(len, set);
    CPU_SET_S(cpu, len, set);
    bool is_set = pthread_attr_setstacksize(attributes, THREAD_STACK_LEN) == 0 &&
                  pthread_attr_setaffinity_np(attributes, len, set) == 0;
    CPU_FREE(set);
    return is_set;
}

void cpu_block_signals(sigset_t *ret_before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < array_size(faults); i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, ret_before);
}

bool cpu_start_thread(int cpu, void *(*run)(void *argument), void *argument, pthread_t *ret)
{
    pthread_attr_t attributes;
    if (cpu < 0 || cpu >= CPU_LIMIT || pthread_attr_init(&attributes) != 0)
        return false;
    sigset_t before;
    cpu_block_signals(&before);
    bool is_started = set_attributes(&attributes, cpu) && pthread_create(ret, &attributes, run, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return is_started;
}

struct error *cpu_start_worker(void *(*run)(void *argument), void *argument, pthread_t *ret)
{
    pthread_attr_t attributes;
    int number = pthread_attr_init(&attributes);
    if (number != 0)
        return error_from_errno(number, "cannot start a thread");
    sigset_t before;
    cpu_block_signals(&before);
    number = pthread_attr_setstacksize(&attributes, WORKER_STACK_LEN);
    if (number == 0)
        number = pthread_create(ret, &attributes, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return number == 0 ? NULL : error_from_errno(number, "cannot start a thread");
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

enum { RESET_ON_FORK = 1 }; /* SCHED_FLAG_RESET_ON_FORK, include/uapi/linux/sched.h */

static bool read_scheduling(struct scheduling *ret)
{
    return syscall(SYS_sched_getattr, 0, ret, sizeof(*ret), 0) == 0 && ret->policy == SCHED_OTHER;
}

void cpu_wake_promptly(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL);
    struct scheduling scheduling = {.size = sizeof(scheduling)};
    if (!read_scheduling(&scheduling))
        return;
    scheduling.runtime_ns = SLICE_NS;
    syscall(SYS_sched_setattr, 0, &scheduling, 0);
}

bool cpu_take_precedence(pid_t tid, bool is_wanted)
{
    const struct scheduling first = {
        .size = sizeof(first),
        .policy = SCHED_FIFO,
        .flags = RESET_ON_FORK,
        .priority = 1, /* the least of those that take precedence */
    };
    const struct scheduling ordinary = {
        .size = sizeof(ordinary),
        .policy = SCHED_OTHER,
        .flags = RESET_ON_FORK, /* who only has RLIMIT_RTPRIO may not take it back */
        .nice = getpriority(PRIO_PROCESS, (id_t)tid),
        .runtime_ns = SLICE_NS,
    };
    return syscall(SYS_sched_setattr, tid, is_wanted ? &first : &ordinary, 0) == 0;
}

/* What a thread of the survey finds out. */
struct trial {
    int cpu;
    bool was_there;
    bool has_short_slices;
    bool has_precedence;
};

static void *try_cpu(void *argument)
{
    struct trial *trial = argument;
    struct scheduling scheduling = {.size = sizeof(scheduling)};
    cpu_wake_promptly();
    trial->was_there = sched_getcpu() == trial->cpu;
    /* Before 6.12 the kernel takes the value and keeps none. */
    trial->has_short_slices = read_scheduling(&scheduling) && scheduling.runtime_ns == SLICE_NS;
    trial->has_precedence = cpu_take_precedence(0, true);
    return NULL;
}

/* The CPUs on which a thread may run; 0: the calling one. NULL when they are not known. The caller frees them. */
static cpu_set_t *read_allowed(pid_t tid)
{
    cpu_set_t *set = CPU_ALLOC(CPU_LIMIT);
    if (set && sched_getaffinity(tid, CPU_ALLOC_SIZE(CPU_LIMIT), set) == 0)
        return set;
    CPU_FREE(set);
    return NULL;
}

bool cpu_may_be_chosen(void)
{
    cpu_set_t *allowed = read_allowed(0);
    bool may_be = allowed && sched_setaffinity(0, CPU_ALLOC_SIZE(CPU_LIMIT), allowed) == 0;
    CPU_FREE(allowed);
    return may_be;
}

static void survey_cpu(int cpu, struct cpu_survey *survey)
{
    pthread_t thread;
    struct trial trial = {.cpu = cpu};
    survey->allowed++;
    if (!cpu_start_thread(cpu, try_cpu, &trial, &thread))
        return;
    pthread_join(thread, NULL);
    survey->pinned += trial.was_there;
    survey->has_short_slices |= trial.has_short_slices;
    survey->has_precedence |= trial.has_precedence;
}

void cpu_survey(struct cpu_survey *ret)
{
    struct cpu_survey survey = {
        .present = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
        .has_number = __rseq_size != 0,
    };
    cpu_set_t *allowed = read_allowed(0);
    for (int cpu = 0; allowed && cpu < CPU_LIMIT; cpu++) {
        if (CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(CPU_LIMIT), allowed))
            survey_cpu(cpu, &survey);
    }
    CPU_FREE(allowed);
    *ret = survey;
}

int cpu_count_barred(pid_t tid)
{
    cpu_set_t *ours = read_allowed(0), *theirs = tid > 0 ? read_allowed(tid) : NULL;
    int count = ours && theirs ? 0 : -1;
    for (int cpu = 0; count >= 0 && cpu < CPU_LIMIT; cpu++) {
        size_t len = CPU_ALLOC_SIZE(CPU_LIMIT);
        count += CPU_ISSET_S(cpu, len, theirs) && !CPU_ISSET_S(cpu, len, ours);
    }
    CPU_FREE(ours);
    CPU_FREE(theirs);
    return count;
}

/*
 * Where the kernel keeps restartable sequences, it may tell a thread that it was preempted without a system call, which
 * would cost more than the rest of a watch: Linux include/uapi/linux/rseq.h, struct rseq: the kernel sets rseq_cs to
 * NULL "when the kernel detects that it is preempting or delivering a signal outside of the range targeted by the
 * rseq_cs". So this is a sequence that is never executed. What must be right about it is that it is a sequence: the
 * abort handler is outside of it, and the signature stands in front of the handler.
 */
static const struct {
    uint32_t instructions;
    uint32_t signature;
    uint32_t abort_handler;
} never_executed = {.signature = RSEQ_SIG};

static const struct rseq_cs *unexecuted_sequence(void)
{
    static _Thread_local struct rseq_cs sequence;
    sequence = (struct rseq_cs){
        .start_ip = (uintptr_t)&never_executed.instructions,
        .post_commit_offset = sizeof(never_executed.instructions),
        .abort_ip = (uintptr_t)&never_executed.abort_handler,
    };
    return &sequence;
}

/* The calling thread's rseq_cs. */
static volatile uint64_t *own_sequence(void)
{
    void *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    struct rseq *rseq = area;
    return (volatile uint64_t *)&rseq->rseq_cs;
}

static void begin_sequence(void)
{
    const struct rseq_cs *sequence = unexecuted_sequence();
    atomic_signal_fence(memory_order_seq_cst);
    *own_sequence() = (uintptr_t)sequence;
}

static uint64_t switch_count(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_nvcsw + (uint64_t)usage.ru_nivcsw;
}

static bool is_sequence_cleared; /* set once */

/*
 * Tries whether this kernel clears rseq_cs of a thread that loses its CPU inside of a system call, where we lose it
 * most likely. A kernel may see no need to, as no sequence can be interrupted there.
 */
static void try_sequences(void)
{
    const struct timespec moment = {.tv_nsec = 50000};
    if (__rseq_size == 0)
        return;
    uint64_t before = switch_count();
    begin_sequence();
    for (int try = 0; try < 100 && switch_count() == before; try++)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    is_sequence_cleared = switch_count() != before && *own_sequence() == 0;
    *own_sequence() = 0;
}

static bool are_sequences_cleared(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, try_sequences);
    return is_sequence_cleared;
}

void cpu_watch_begin(struct cpu_watch *watch)
{
    if (are_sequences_cleared())
        begin_sequence();
    else
        watch->switches = switch_count();
}

bool cpu_watch_is_undisturbed(const struct cpu_watch *watch)
{
    return are_sequences_cleared() ? *own_sequence() != 0 : switch_count() == watch->switches;
}
