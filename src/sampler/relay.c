/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include "base/cleanup.h"
#include "punctuality.h"
#include "schedule.h"
#include "target/cpu.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_REST_NS = 50000 }; /* what is not worth a timer: to set one, and to be woken by it */

struct runner {
    struct relay *relay;
    int cpu;
    bool is_running;     /* false: we may not run on this CPU */
    pid_t tid;           /* of its thread, under the lock; 0: it does not run yet, or no more */
    bool has_precedence; /* over ordinary threads */
    pthread_t thread;
    bool has_previous;  /* the thread before, which ends, */
    pthread_t previous; /* is for this one to join */
    sem_t baton;        /* posted: the baton is here, or the relay stops */
    timer_t timer;      /* posts it */
    atomic_bool has_timer;
};

struct relay {
    relay_step step;
    void *context;
    atomic_bool is_stopping;
    sem_t is_done;
    struct runner *current; /* of the one that has the baton */
    struct punctuality punctuality;
    bool is_refused;         /* we may not take precedence */
    uint64_t rest_end_ns;    /* when the next step has something to do; 0: now */
    uint64_t rested_from_ns; /* when the timer was set that ends a rest; 0: there is none */
    pthread_mutex_t lock;    /* of the runners: none is made any more once the relay stops */
    struct runner *runners[CPU_LIMIT];
};

static void *run(void *argument);

struct error *relay_create(relay_step step, void *context, struct relay **ret)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return error_no_memory();
    relay->step = step;
    relay->context = context;
    sem_init(&relay->is_done, 0, 0);
    pthread_mutex_init(&relay->lock, NULL);
    *ret = relay;
    return NULL;
}

void relay_destroy(struct relay *relay)
{
    if (!relay)
        return;
    pthread_mutex_lock(&relay->lock);
    atomic_store(&relay->is_stopping, true);
    pthread_mutex_unlock(&relay->lock);
    for (int cpu = 0; cpu < CPU_LIMIT; cpu++) {
        struct runner *runner = relay->runners[cpu];
        if (!runner)
            continue;
        sem_post(&runner->baton);
        if (runner->is_running)
            pthread_join(runner->thread, NULL);
    }
    for (int cpu = 0; cpu < CPU_LIMIT; cpu++) {
        if (!relay->runners[cpu])
            continue;
        sem_destroy(&relay->runners[cpu]->baton);
        free(relay->runners[cpu]);
    }
    pthread_mutex_destroy(&relay->lock);
    sem_destroy(&relay->is_done);
    free(relay);
}

static struct runner *make_runner(struct relay *relay, int cpu)
{
    struct runner *runner = calloc(1, sizeof(*runner));
    if (!runner)
        return NULL;
    runner->relay = relay;
    runner->cpu = cpu;
    sem_init(&runner->baton, 0, 0);
    runner->is_running = cpu_start_thread(cpu, run, runner, &runner->thread);
    return runner;
}

/* The runner of a CPU, made when there is none yet; NULL when we may not run there, or the relay stops. */
static struct runner *runner_of(struct relay *relay, int cpu)
{
    if (cpu < 0 || cpu >= CPU_LIMIT)
        return NULL;
    pthread_mutex_lock(&relay->lock);
    if (!relay->runners[cpu] && !atomic_load(&relay->is_stopping))
        relay->runners[cpu] = make_runner(relay, cpu);
    struct runner *runner = relay->runners[cpu];
    pthread_mutex_unlock(&relay->lock);
    return runner && runner->is_running ? runner : NULL;
}

bool relay_can_reach(struct relay *relay, int cpu)
{
    return runner_of(relay, cpu) != NULL;
}

int relay_other_cpu(struct relay *relay, int cpu)
{
    long count = sysconf(_SC_NPROCESSORS_CONF);
    for (int other = 0; other < count; other++) {
        if (other != cpu && runner_of(relay, other))
            return other;
    }
    return cpu;
}

struct error *relay_start(struct relay *relay)
{
    struct runner *runner = runner_of(relay, sched_getcpu());
    for (int cpu = 0; !runner && cpu < CPU_LIMIT; cpu++)
        runner = runner_of(relay, cpu);
    if (!runner && !cpu_may_be_chosen())
        return error_create(ERROR_OS, "pyspyc cannot bind its threads to CPUs, which every sample takes, as something "
                                      "forbids sched_setaffinity (a seccomp filter, a sandbox): run pyspyc outside of "
                                      "it");
    if (!runner)
        return error_create(ERROR_OS, "cannot start a thread on any CPU");
    relay->current = runner;
    sem_post(&runner->baton);
    return NULL;
}

static bool wants_precedence(const struct relay *relay)
{
    return relay->punctuality.has_precedence && !relay->is_refused;
}

/* Lets a runner take precedence, or give it back. To be called with the baton and the lock. */
static void apply_punctuality(struct relay *relay, struct runner *runner)
{
    bool is_wanted = wants_precedence(relay);
    if (is_wanted == runner->has_precedence || runner->tid == 0)
        return;
    if (cpu_take_precedence(runner->tid, is_wanted))
        runner->has_precedence = is_wanted;
    else
        relay->is_refused = true;
}

/* Those that sleep, too: they are to get the baton in time. */
static void apply_punctuality_to_all(struct relay *relay)
{
    if (wants_precedence(relay) == relay->current->has_precedence)
        return;
    pthread_mutex_lock(&relay->lock);
    for (int cpu = 0; cpu < CPU_LIMIT; cpu++) {
        if (relay->runners[cpu])
            apply_punctuality(relay, relay->runners[cpu]);
    }
    pthread_mutex_unlock(&relay->lock);
}

static void sleep_until(struct relay *relay, uint64_t time_ns)
{
    const struct timespec time = {
        .tv_sec = (time_t)(time_ns / 1000000000U),
        .tv_nsec = (long)(time_ns % 1000000000U),
    };
    /* Nobody posts the baton of the runner that has it, but relay_destroy(). */
    while (!atomic_load(&relay->is_stopping) && sem_clockwait(&relay->current->baton, CLOCK_MONOTONIC, &time) != 0 &&
           errno == EINTR)
        ;
}

bool relay_sleep_until(struct relay *relay, uint64_t time_ns)
{
    bool has_rested = relay->rested_from_ns != 0;
    uint64_t begin_ns = has_rested ? relay->rested_from_ns : monotonic_now_ns();
    relay->rested_from_ns = 0;
    if (!has_rested) {
        punctuality_note_sleep(&relay->punctuality, begin_ns);
        apply_punctuality_to_all(relay);
    }
    sleep_until(relay, time_ns);
    uint64_t woken_ns = monotonic_now_ns(), due_ns = time_ns > begin_ns ? time_ns : begin_ns;
    punctuality_note_wake_up(&relay->punctuality, woken_ns, woken_ns > due_ns ? woken_ns - due_ns : 0);
    return !atomic_load(&relay->is_stopping);
}

void relay_rest_until(struct relay *relay, uint64_t time_ns)
{
    relay->rest_end_ns = time_ns;
}

/* Whether another thread has taken the place of the calling one. */
static bool is_replaced(const struct runner *runner)
{
    return !pthread_equal(runner->thread, pthread_self());
}

bool relay_renew(struct relay *relay)
{
    struct runner *runner = relay->current;
    pthread_t thread;
    pthread_mutex_lock(&relay->lock);
    /* When the relay stops, the thread ends anyway. */
    bool is_needed = !is_replaced(runner) && !atomic_load(&relay->is_stopping);
    if (is_needed) {
        runner->previous = pthread_self();
        runner->has_previous = true;
    }
    bool is_started = is_needed && cpu_start_thread(runner->cpu, run, runner, &thread);
    if (is_started)
        runner->thread = thread;
    pthread_mutex_unlock(&relay->lock);
    return is_started || !is_needed;
}

/*
 * Runs steps until the baton has to go to another CPU, or to another thread of this one. Returns who gets it; NULL when
 * the work is done.
 */
static struct runner *run_steps(struct relay *relay, struct runner *runner)
{
    while (!atomic_load(&relay->is_stopping)) {
        relay->rest_end_ns = 0;
        int next = relay->step(relay->context, runner->cpu);
        if (next == RELAY_STOP)
            return NULL;
        struct runner *other = next == runner->cpu ? NULL : runner_of(relay, next);
        if (other || is_replaced(runner))
            return other ? other : runner;
    }
    return NULL;
}

/* Makes known which thread the runner is now, an ordinary one. */
static void set_tid(struct runner *runner, pid_t tid)
{
    pthread_mutex_lock(&runner->relay->lock);
    runner->tid = tid;
    runner->has_precedence = false;
    pthread_mutex_unlock(&runner->relay->lock);
}

/* For a runner that was made after all the others took precedence. */
static void follow_punctuality(struct runner *runner)
{
    pthread_mutex_lock(&runner->relay->lock);
    apply_punctuality(runner->relay, runner);
    pthread_mutex_unlock(&runner->relay->lock);
}

/* Not used for anything else: see also target/stop.h. */
static int baton_signal(void)
{
    return SIGRTMAX - 2;
}

static void post_baton(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    sem_post(info->si_value.sival_ptr);
}

static void prepare_baton_signal(void)
{
    struct sigaction action = {.sa_sigaction = post_baton, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(baton_signal(), &action, NULL);
}

/* Makes the calling thread's timer. Without one, the thread is woken earlier. */
static void make_timer(struct runner *runner)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = baton_signal(), .sigev_value.sival_ptr = &runner->baton};
    event._sigev_un._tid = gettid(); /* sigev_notify_thread_id, which glibc does not name before 2.38 */
    sigset_t signals;
    pthread_once(&once, prepare_baton_signal);
    sigemptyset(&signals);
    sigaddset(&signals, baton_signal());
    if (timer_create(CLOCK_MONOTONIC, &event, &runner->timer) != 0)
        return;
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    atomic_store(&runner->has_timer, true);
}

/* What the kernel knows of the calling thread, which is the runner's, is no longer to be used. */
static void end_thread(struct runner *runner)
{
    set_tid(runner, 0);
    if (atomic_exchange(&runner->has_timer, false))
        timer_delete(runner->timer);
}

/*
 * Hands the baton over. To be woken only to go to sleep again would cost a runner as much as a step, so when there is a
 * rest, it is the end of that which wakes it.
 */
static void pass_baton(struct relay *relay, struct runner *next)
{
    uint64_t end_ns = relay->rest_end_ns, now_ns = monotonic_now_ns();
    const struct itimerspec times = {
        .it_value = {.tv_sec = (time_t)(end_ns / 1000000000U), .tv_nsec = (long)(end_ns % 1000000000U)}};
    bool has_rest = end_ns >= now_ns + LEAST_REST_NS && atomic_load(&next->has_timer);
    relay->current = next;
    if (has_rest) {
        punctuality_note_sleep(&relay->punctuality, now_ns);
        apply_punctuality_to_all(relay);
        relay->rested_from_ns = now_ns;
    }
    if (!has_rest || timer_settime(next->timer, TIMER_ABSTIME, &times, NULL) != 0)
        sem_post(&next->baton);
}

static void *run(void *argument)
{
    struct runner *runner = argument;
    struct relay *relay = runner->relay;
    if (runner->has_previous)
        pthread_join(runner->previous, NULL);
    /* The baton that says so may have been taken by the thread before, while it slept. */
    if (atomic_load(&relay->is_stopping))
        return NULL;
    cpu_wake_promptly();
    set_tid(runner, gettid());
    make_timer(runner);
    for (;;) {
        while (sem_wait(&runner->baton) != 0)
            ;
        if (atomic_load(&relay->is_stopping))
            break;
        follow_punctuality(runner);
        struct runner *next = run_steps(relay, runner);
        if (!next) {
            sem_post(&relay->is_done);
            break;
        }
        bool is_at_end = is_replaced(runner);
        if (is_at_end)
            end_thread(runner);
        pass_baton(relay, next);
        if (is_at_end)
            return NULL;
    }
    end_thread(runner);
    return NULL;
}

void relay_wait(struct relay *relay)
{
    while (sem_wait(&relay->is_done) != 0)
        ;
}
