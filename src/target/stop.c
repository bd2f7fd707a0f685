/* SPDX-License-Identifier: MIT */
#include "target/stop.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "clock.h"
#include "guard_timer.h"
#include "living_thread.h"
#include "pid_namespace.h"
#include "proc_file.h"
#include "target/proc_text.h"
#include "target/process.h"
#include "target/task.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

enum {
    ALARM_INTERVAL_NS = 1000000, /* after the first one, which can come when we are not waiting just then */
    STOP_REGISTERS_LIMIT = 1024, /* bytes; x86-64 has 216 */
    TRIAL_LIMIT = 10,            /* tries to seize a thread of a process that somebody else seems to trace, */
    TRIAL_REST_NS = 2000000,     /* and the time between them */
    EVENT_SHIFT = 8,             /* of the event in a stop's status: man 2 ptrace */
};

/* ptrace() has no prototype for numbers as data. */
static void *as_data(int number)
{
    return (void *)(intptr_t)number;
}

/* Takes note of what the kernel says of a thread. */
static void note(struct stop *stop, const siginfo_t *info)
{
    if (info->si_code != CLD_TRAPPED && info->si_code != CLD_STOPPED) {
        stop->state = STOP_BROKEN;
        return;
    }
    stop->state = STOP_REACHED;
    /*
     * A stop that we asked for, or one of the whole process by SIGSTOP, is an event. Anything else is a signal that the
     * thread was about to be given, and it will be when we let go, with the stop that we asked for forgotten.
     */
    bool is_event = info->si_status >> EVENT_SHIFT == PTRACE_EVENT_STOP;
    stop->signal = is_event ? 0 : info->si_status;
}

/*
 * Looks whether a thread has stopped, or with flags 0 waits until it has, or a signal comes. What is seen is not taken,
 * so that a child's end stays for launch_collect(), and a signal in the thread.
 */
static void look(struct stop *stop, int flags)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)stop->tid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD | flags) != 0) {
        if (errno != EINTR)
            stop->state = STOP_BROKEN;
    } else if (info.si_pid != 0) {
        note(stop, &info);
    }
}

/* Not used for anything else, and ignored by nobody before us. */
static int alarm_signal(void)
{
    return SIGRTMAX - 1;
}

static void do_nothing(int number)
{
    (void)number;
}

/* A thread's alarm, which ends with it: to make and delete a timer takes two system calls more. */
struct alarm {
    bool is_made;
    timer_t timer;
    int guard_timer;
    uint32_t held; /* threads that were asked to stop, and are not known to be gone from us */
};

static pthread_key_t alarm_key; /* its value is the thread's alarm, when that is made */
static bool has_alarm_key;

static void delete_alarm(void *value)
{
    struct alarm *alarm = value;
    timer_delete(alarm->timer);
    cleanup_close_fd(&alarm->guard_timer);
    alarm->is_made = false;
}

/* A signal without SA_RESTART ends a wait. */
static void prepare_alarms(void)
{
    struct sigaction action = {.sa_handler = do_nothing};
    sigaction(alarm_signal(), &action, NULL);
    has_alarm_key = pthread_key_create(&alarm_key, delete_alarm) == 0;
}

/* The calling thread gets the signal from now on, though others are blocked. It comes only while an alarm is set. */
static void allow_alarm(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, alarm_signal());
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

/* Returns the calling thread's alarm; NULL when there is none to be had. */
static struct alarm *own_alarm(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static _Thread_local struct alarm alarm;
    if (alarm.is_made)
        return &alarm;
    pthread_once(&once, prepare_alarms);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = alarm_signal()};
    event._sigev_un._tid = gettid(); /* sigev_notify_thread_id, which glibc does not name before 2.38 */
    if (!has_alarm_key || timer_create(CLOCK_MONOTONIC, &event, &alarm.timer) != 0)
        return NULL;
    alarm.is_made = true;
    alarm.guard_timer = guard_timer_open();
    if (pthread_setspecific(alarm_key, &alarm) != 0) {
        delete_alarm(&alarm);
        return NULL;
    }
    allow_alarm();
    return &alarm;
}

static void set_alarm(struct alarm *alarm, long first_ns)
{
    const struct itimerspec times = {.it_value.tv_nsec = first_ns, .it_interval.tv_nsec = ALARM_INTERVAL_NS};
    timer_settime(alarm->timer, 0, &times, NULL);
}

/* One more thread is going to be held. */
static void count_hold(void)
{
    struct alarm *alarm = own_alarm();
    if (alarm && alarm->held++ == 0)
        guard_timer_begin(alarm->guard_timer);
}

static void count_release(void)
{
    struct alarm *alarm = own_alarm();
    if (alarm && alarm->held > 0 && --alarm->held == 0)
        guard_timer_end(alarm->guard_timer);
}

bool stop_begin(struct stop *stop, const struct task *task)
{
    *stop = (struct stop){.tid = task->system_tid};
    /*
     * That the number has gone to another process since the task was looked at would take a whole round of all numbers
     * in a few microseconds.
     */
    if (stop->tid == 0)
        return false;
    count_hold();
    if (ptrace(PTRACE_SEIZE, stop->tid, NULL, NULL) != 0) {
        count_release();
        return false;
    }
    stop->state = ptrace(PTRACE_INTERRUPT, stop->tid, NULL, NULL) == 0 ? STOP_ASKED : STOP_BROKEN;
    return true;
}

/* Waits for what has not stopped yet. An alarm is set, and ends each wait that is not over in time. */
static void wait_for_each(struct stop *stops, uint32_t count)
{
    uint64_t end_ns = clock_now_ns() + STOP_WAIT_NS;
    for (uint32_t i = 0; i < count; i++) {
        while (stops[i].state == STOP_ASKED) {
            bool is_over = clock_now_ns() >= end_ns;
            look(&stops[i], is_over ? WNOHANG : 0);
            if (is_over && stops[i].state == STOP_ASKED)
                stops[i].state = STOP_OVERDUE;
        }
    }
}

static bool is_any_asked(const struct stop *stops, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (stops[i].state == STOP_ASKED)
            return true;
    }
    return false;
}

void stop_wait(struct stop *stops, uint32_t count)
{
    struct alarm *alarm = is_any_asked(stops, count) ? own_alarm() : NULL;
    if (!alarm)
        return;
    /*
     * To sleep until the kernel wakes us is what gets the thread to its stop soonest: it has the CPU at once, and we
     * have it back from it. Measured on a thread of the same CPU, from PTRACE_SEIZE on: 8 us; with looks and naps of
     * 20 us between them, from which the timer has to wake an idle CPU, 39 us; with sched_yield(), for which the
     * scheduler makes us pay later, 15 us to some milliseconds.
     */
    set_alarm(alarm, STOP_WAIT_NS);
    wait_for_each(stops, count);
    set_alarm(alarm, 0);
}

bool stop_holds(const struct stop *stop)
{
    return stop->state == STOP_REACHED || stop->state == STOP_OVERDUE;
}

bool stop_read_registers(const struct stop *stop, struct registers *ret)
{
    unsigned char bytes[STOP_REGISTERS_LIMIT];
    struct iovec place = {bytes, sizeof(bytes)};
    return stop->state == STOP_REACHED && ptrace(PTRACE_GETREGSET, stop->tid, as_data(NT_PRSTATUS), &place) == 0 &&
           registers_parse(bytes, place.iov_len, ret);
}

bool stop_end(struct stop *stop)
{
    struct stop ended = *stop;
    *stop = (struct stop){0};
    if (ended.state == STOP_NONE)
        return true;
    if (ended.state == STOP_ASKED || ended.state == STOP_OVERDUE)
        look(&ended, WNOHANG);
    /* Nobody can be let go who has not stopped. When this fails, he has been killed. */
    if (ended.state != STOP_REACHED || ptrace(PTRACE_DETACH, ended.tid, NULL, as_data(ended.signal)) != 0)
        return false;
    count_release();
    return true;
}

/* What a thread is told that tries to seize another one, and tells. */
struct trial {
    pid_t tid;
    int errno_value;
};

/* Ends with the thread still seized, and so lets go of it without having stopped it. */
static void *try_to_seize(void *argument)
{
    struct trial *trial = argument;
    trial->errno_value = ptrace(PTRACE_SEIZE, trial->tid, NULL, NULL) == 0 ? 0 : errno;
    return NULL;
}

static struct error *run_trial(struct trial *trial)
{
    pthread_t thread;
    int errno_value = pthread_create(&thread, NULL, try_to_seize, trial);
    if (errno_value != 0)
        return error_from_errno(errno_value, "cannot start a thread");
    pthread_join(thread, NULL);
    return NULL;
}

/* Who traces a thread; 0: nobody that we can see. */
static uint64_t find_tracer(int folder)
{
    cleanup_buffer struct buffer text = {0};
    uint64_t tracer = 0;
    cleanup_error struct error *error = proc_file_read(folder, "status", &text);
    if (!error)
        proc_status_number(buffer_text(&text), text.len, "TracerPid", 10, &tracer);
    return tracer;
}

bool stop_is_possible(void)
{
    /* There is no such thread, which a filter does not know: it answers before the kernel looks for one. */
    return ptrace(PTRACE_SEIZE, -1, NULL, NULL) != 0 && errno == ESRCH;
}

/* Replaces the text by the name of a process that we may not be allowed to know more of. */
static void read_name(const struct process *process, uint64_t pid, struct buffer *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%" PRIu64 "/comm", process->proc, pid);
    cleanup_error struct error *error = proc_file_read(AT_FDCWD, path, text);
    while (!error && text->len > 0 && text->data[text->len - 1] == '\n')
        text->data[--text->len] = '\0';
}

static struct error *describe_tracer(const struct process *process, uint64_t tracer)
{
    cleanup_buffer struct buffer name = {0};
    read_name(process, tracer, &name);
    return error_create(ERROR_BUSY,
                        "process %d cannot be stopped, as process %" PRIu64 " (%s) traces it already: read it "
                        "without --blocking and --native",
                        process->pid, tracer, name.len > 0 ? buffer_text(&name) : "a debugger or strace");
}

static struct error *describe_refusal(const struct process *process, int folder, int errno_value)
{
    uint64_t tracer = find_tracer(folder);
    if (errno_value == EPERM && tracer != 0)
        return describe_tracer(process, tracer);
    if (errno_value != ESRCH && !stop_is_possible())
        return error_create(ERROR_OS,
                            "process %d cannot be stopped, as a seccomp filter forbids ptrace here, as in a container: "
                            "read it without --blocking and --native",
                            process->pid);
    return error_from_errno(errno_value, "cannot stop process %d", process->pid);
}

struct error *stop_try(const struct process *process)
{
    cleanup_fd int folder = living_thread_open_folder(process->proc, process->pid, process->directory);
    struct trial trial = {.tid = pid_namespace_own_number(folder, process->pid, process->own_place)};
    if (trial.tid == 0)
        return error_create(ERROR_OS,
                            "process %d cannot be stopped: %s is that of another pid namespace, and system calls know "
                            "the process by another number or not at all; it can be read without --blocking",
                            process->pid, process->proc);
    struct error *error = run_trial(&trial);
    /* Another profiler holds a thread for a moment only, again and again. */
    for (int i = 1; !error && trial.errno_value == EPERM && i < TRIAL_LIMIT; i++) {
        nanosleep(&(struct timespec){.tv_nsec = TRIAL_REST_NS}, NULL);
        error = run_trial(&trial);
    }
    if (error || trial.errno_value == 0)
        return error;
    return describe_refusal(process, folder, trial.errno_value);
}
