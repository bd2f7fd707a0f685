/* SPDX-License-Identifier: MIT */
#include "supervisor.h"

#include "base/cleanup.h"
#include "profile/recording_writer.h"
#include "progress.h"
#include "sampler/process_tree.h"
#include "sampler/recording.h"
#include "target/launch.h"
#include "target/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

enum {
    READY_MS = 5000,      /* how long an interpreter that is only just starting is waited for */
    PROGRESS_MS = 250,    /* between updates of the progress line */
    SAVE_MS = 1000,       /* between savings of what was recorded, */
    SAVE_LEAST_MS = 20,   /* and the least of it, when there is hardly any room left: */
    SAVES_LEFT = 8,       /* what is lost when there is none is what one saving takes, so many before the end */
    SCARCE_LEN = 1 << 20, /* so little room may be too little for what comes in the first second */
    CHECK_MS = 200,       /* between looks at a process without a pidfd */
    MOMENT_MS = 1,        /* until it is tried again to end a part */
    SIGNAL_STATUS = 128,
};

static const int our_signals[] = {SIGINT, SIGTERM, SIGHUP};
static const int pause_signals[] = {SIGUSR1, SIGUSR2};
static const int stop_signals[] = {SIGTSTP, SIGTTIN, SIGTTOU};

/* Adds signals, but those that are ignored (nohup, a background job): blocked, they would arrive all the same. */
static void add_signals(sigset_t *set, const int *signals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(set, signals[i]);
    }
}

static void fill_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    add_signals(set, our_signals, array_size(our_signals));
    add_signals(set, pause_signals, array_size(pause_signals));
}

void supervisor_hold_pauses(void)
{
    sigset_t set;
    sigemptyset(&set);
    add_signals(&set, pause_signals, array_size(pause_signals));
    sigprocmask(SIG_BLOCK, &set, NULL);
}

struct error *supervisor_init(struct supervisor *supervisor, bool stops_threads)
{
    sigset_t set;
    fill_signals(&set);
    if (stops_threads)
        add_signals(&set, stop_signals, array_size(stop_signals));
    *supervisor =
        (struct supervisor){.signals = -1, .ready_fd = -1, .save_ms = SAVE_MS, .stops_threads = stops_threads};
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return error_from_errno(errno, "cannot block signals");
    supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (supervisor->signals < 0)
        return error_from_errno(errno, "cannot receive signals");
    return NULL;
}

void supervisor_release_signals(void)
{
    sigset_t set;
    fill_signals(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void supervisor_release_stops(const struct supervisor *supervisor)
{
    sigset_t set;
    sigemptyset(&set);
    add_signals(&set, stop_signals, array_size(stop_signals));
    if (supervisor->stops_threads)
        sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void supervisor_deinit(struct supervisor *supervisor)
{
    cleanup_close_fd(&supervisor->signals);
    supervisor->signals = -1;
}

static uint64_t elapsed_ms(const struct supervisor *supervisor)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec - supervisor->start_ns) / 1000000;
}

/* Passes a signal on to the program that we started, unless the terminal sent it to the program as well. */
static void pass_on(const struct supervisor *supervisor, const struct signalfd_siginfo *info)
{
    if (supervisor->child > 0 && !supervisor->has_ended && info->ssi_code != SI_KERNEL)
        kill(supervisor->child, (int)info->ssi_signo);
}

static bool is_stop_signal(uint32_t number)
{
    for (size_t i = 0; i < array_size(stop_signals); i++) {
        if ((uint32_t)stop_signals[i] == number)
            return true;
    }
    return false;
}

/* Does what a signal does by default that stops us, but first lets go of what we have stopped. */
static void stop_ourselves(const struct supervisor *supervisor, int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    if (supervisor->recording)
        recording_pause(supervisor->recording);
    if (supervisor->guest && supervisor->guest->leave)
        supervisor->guest->leave(supervisor->guest->context);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* here we stop, until SIGCONT */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (supervisor->recording)
        recording_go_on(supervisor->recording);
    if (supervisor->guest && supervisor->guest->come_back)
        supervisor->guest->come_back(supervisor->guest->context);
}

/* SIGUSR1 or SIGUSR2. */
static void pause_or_resume(struct supervisor *supervisor, bool is_paused)
{
    supervisor->is_paused = is_paused;
    supervisor->was_paused |= is_paused;
    if (!supervisor->recording)
        return;
    if (is_paused)
        recording_suspend(supervisor->recording);
    else
        recording_resume(supervisor->recording);
}

static void take_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            continue;
        if (info.ssi_signo == SIGUSR1 || info.ssi_signo == SIGUSR2) {
            pause_or_resume(supervisor, info.ssi_signo == SIGUSR2);
            continue;
        }
        if (is_stop_signal(info.ssi_signo)) {
            stop_ourselves(supervisor, (int)info.ssi_signo);
            continue;
        }
        supervisor->signal_count++;
        supervisor->last_signal = (int)info.ssi_signo;
        pass_on(supervisor, &info);
    }
}

static void look_for_end_of_all(struct supervisor *supervisor)
{
    supervisor->is_first_gone = supervisor->is_first_gone || !process_is_running(supervisor->process);
    supervisor->has_ended = supervisor->is_first_gone && !process_tree_has_added_roots(supervisor->tree);
}

/* Finds out whether the process has ended. */
static void look_for_end(struct supervisor *supervisor)
{
    if (supervisor->has_ended)
        return;
    if (supervisor->child > 0)
        supervisor->has_ended = launch_collect(supervisor->child, &supervisor->child_status);
    else
        look_for_end_of_all(supervisor);
}

/* Sleeps until something happens, at most so many milliseconds (-1: without limit). */
static void wait_for_event(const struct supervisor *supervisor, int tree_fd, int timeout_ms)
{
    bool is_watched = supervisor->process && !supervisor->is_first_gone && !supervisor->has_ended;
    int pidfd = is_watched ? supervisor->process->pidfd : -1;
    bool is_blind = pidfd < 0 && !supervisor->has_ended && (timeout_ms < 0 || timeout_ms > CHECK_MS);
    struct pollfd fds[] = {
        {.fd = supervisor->signals, .events = POLLIN},
        {.fd = pidfd, .events = POLLIN},
        {.fd = tree_fd, .events = POLLIN},
        {.fd = supervisor->guest ? supervisor->guest->fd : -1, .events = POLLIN},
    };
    poll(fds, array_size(fds), is_blind ? CHECK_MS : timeout_ms);
}

/* Whether what cannot be recorded now may be later. */
static bool may_become_python(const struct supervisor *supervisor, const struct error *error)
{
    /* What was a Python already, and what we started, may exec something else. */
    bool may_exec = supervisor->child > 0 || process_tree_was_attached(supervisor->tree);
    switch (error->kind) {
    case ERROR_NOT_READY:
        return may_exec || elapsed_ms(supervisor) < READY_MS;
    case ERROR_NOT_PYTHON:
        return may_exec || supervisor->with_children;
    case ERROR_UNSUPPORTED_VERSION:
    case ERROR_NOT_FOUND:
    case ERROR_BAD_DATA:
    case ERROR_TARGET_GONE:
    case ERROR_PERMISSION:
    case ERROR_BUSY:
        return may_exec;
    case ERROR_NO_MEMORY:
    case ERROR_USAGE:
    case ERROR_OS:
        break;
    }
    return false;
}

/* Whether as much as is to be in one part was saved. */
static bool is_part_full(const struct supervisor *supervisor)
{
    return supervisor->every_len > 0 && recording_writer_len(supervisor->writer) >= supervisor->every_len;
}

/* -1: none does. */
static int until_part_ends_ms(const struct supervisor *supervisor)
{
    if (!supervisor->has_begun || supervisor->is_paused)
        return -1;
    if (is_part_full(supervisor))
        return MOMENT_MS;
    if (supervisor->every_ns == 0)
        return -1;
    int64_t left_ms = (int64_t)(supervisor->part_ms + supervisor->every_ns / 1000000 - elapsed_ms(supervisor));
    return left_ms < MOMENT_MS ? MOMENT_MS : left_ms > SAVE_MS ? SAVE_MS : (int)left_ms;
}

static int next_timeout_ms(const struct supervisor *supervisor)
{
    int timeout_ms = process_tree_timeout_ms(supervisor->tree);
    uint64_t since_ms = elapsed_ms(supervisor) - supervisor->saved_ms;
    int own_ms = since_ms < supervisor->save_ms ? (int)(supervisor->save_ms - since_ms) : 0;
    if (supervisor->guest)
        own_ms = supervisor->guest->timeout_ms(supervisor->guest->context);
    else if (!supervisor->has_saved || (supervisor->has_progress_line && own_ms > PROGRESS_MS))
        own_ms = PROGRESS_MS;
    int part_ms = until_part_ends_ms(supervisor);
    if (part_ms >= 0 && part_ms < own_ms)
        own_ms = part_ms;
    return timeout_ms < 0 || timeout_ms > own_ms ? own_ms : timeout_ms;
}

/* How long to wait until the next saving when the last one took so much, in so long. */
static uint64_t choose_save_ms(const struct supervisor *supervisor, uint64_t taken, uint64_t took_ms)
{
    uint64_t room = recording_writer_room(supervisor->writer);
    if (!supervisor->has_saved) /* nothing but heads */
        return room < SCARCE_LEN ? SAVE_LEAST_MS : SAVE_MS;
    if (room / SAVES_LEFT >= taken * SAVE_MS)
        return SAVE_MS;
    uint64_t save_ms = took_ms * (room / SAVES_LEFT) / taken;
    return save_ms < SAVE_LEAST_MS ? SAVE_LEAST_MS : save_ms > SAVE_MS ? SAVE_MS : save_ms;
}

static struct error *save(struct supervisor *supervisor, uint64_t now_ms)
{
    uint64_t len = recording_writer_len(supervisor->writer);
    struct error *error = recording_save(supervisor->recording, supervisor->process, supervisor->writer);
    uint64_t taken = recording_writer_len(supervisor->writer) - len;
    supervisor->save_ms = choose_save_ms(supervisor, taken, now_ms - supervisor->saved_ms);
    supervisor->saved_ms = now_ms;
    supervisor->has_saved = true;
    return error;
}

/* Saves what was recorded, if it is time for that. The first time it is what there is to know before the first sample.
 */
static struct error *save_if_due(struct supervisor *supervisor, bool *ret_is_finished)
{
    if (supervisor->guest)
        return supervisor->guest->take_turn(supervisor->guest->context, supervisor, ret_is_finished);
    uint64_t now_ms = elapsed_ms(supervisor);
    bool is_due = !supervisor->has_saved || now_ms - supervisor->saved_ms >= supervisor->save_ms ||
                  recording_is_full(supervisor->recording);
    if (!is_due || recording_state(supervisor->recording) == RECORDING_WAITING)
        return NULL;
    return save(supervisor, now_ms);
}

/* The time of the first part begins when recording does. */
static void note_first_part(struct supervisor *supervisor)
{
    if (supervisor->has_begun || recording_state(supervisor->recording) == RECORDING_WAITING)
        return;
    supervisor->has_begun = true;
    supervisor->part_ms = elapsed_ms(supervisor);
}

/* Ends a part when it is time for that. While nothing is recorded, it goes on. */
static struct error *end_part_if_over(const struct supervisor *supervisor, const struct part_ender *ender)
{
    uint64_t part_ms = elapsed_ms(supervisor) - supervisor->part_ms;
    bool is_running = recording_state(supervisor->recording) == RECORDING_RUNNING && !supervisor->is_paused;
    bool is_over = (ender->every_ns > 0 && part_ms >= ender->every_ns / 1000000) || is_part_full(supervisor);
    if (!is_running || !is_over)
        return NULL;
    return ender->end_part(ender->context);
}

void supervisor_begin_part(struct supervisor *supervisor, struct recording_writer *writer)
{
    uint64_t now_ms = elapsed_ms(supervisor);
    uint64_t every_ms = supervisor->every_ns / 1000000;
    supervisor->part_ms =
        now_ms - (every_ms > 0 && supervisor->every_len == 0 ? (now_ms - supervisor->part_ms) % every_ms : 0);
    supervisor->has_saved = false;
    supervisor->writer = writer;
}

static bool is_finished(const struct supervisor *supervisor)
{
    int signals_to_end = supervisor->child > 0 && !supervisor->guest ? 2 : 1;
    bool goes_on = supervisor->guest && supervisor->guest->stays;
    enum recording_state state = recording_state(supervisor->recording);
    return (supervisor->has_ended && !goes_on) || supervisor->signal_count >= signals_to_end ||
           state == RECORDING_OVER || state == RECORDING_FAILED;
}

/* *error becomes that of the last try, if there was one. That the process has ended does not say why that was too
 * early. */
static void take_error(struct process_tree *tree, struct error **error)
{
    struct error *newer = process_tree_take_error(tree);
    if (!newer)
        return;
    if (*error && newer->kind == ERROR_TARGET_GONE) {
        error_destroy(newer);
        return;
    }
    error_destroy(*error);
    *error = newer;
}

/* Tells who waits for it that recording has begun. That nobody does any more is not our trouble. */
static void report_readiness(struct supervisor *supervisor)
{
    if (supervisor->ready_fd < 0 || !process_tree_was_attached(supervisor->tree))
        return;
    ssize_t written = write(supervisor->ready_fd, "\n", 1);
    (void)written;
    /* A standard stream stays, so that no other file takes its place. */
    if (supervisor->ready_fd > STDERR_FILENO)
        close(supervisor->ready_fd);
    supervisor->ready_fd = -1;
}

/* With several processes, each has to be a Python that can be read. */
static struct error *attach_all(struct supervisor *supervisor)
{
    if (supervisor->other_count == 0)
        return NULL;
    process_tree_update(supervisor->tree);
    struct error *error = process_tree_take_error(supervisor->tree);
    bool is_final =
        error && error->kind != ERROR_NOT_READY && !(error->kind == ERROR_NOT_PYTHON && supervisor->with_children);
    if (is_final)
        return error;
    error_destroy(error);
    for (uint32_t i = 0; i < supervisor->other_count; i++) {
        error = process_tree_add_root(supervisor->tree, supervisor->others[i]);
        supervisor->refusing = supervisor->others[i];
        if (error)
            return error;
        supervisor->others[i] = NULL;
    }
    supervisor->refusing = NULL;
    return NULL;
}

/* Until the recording is over; -1: that is not known, as it has no end, or is or was not going on. */
static int64_t left_ms(const struct supervisor *supervisor)
{
    int64_t left = (int64_t)(supervisor->duration_ns / 1000000) - (int64_t)elapsed_ms(supervisor);
    return supervisor->duration_ns == 0 || supervisor->was_paused || left < 0 ? -1 : left;
}

struct error *supervisor_record(struct supervisor *supervisor, const struct part_ender *ender, bool *ret_is_recorded)
{
    cleanup_error struct error *error = NULL;
    struct error *save_error = NULL;
    bool is_over = false; /* a guest says so */
    supervisor->start_ns = 0;
    supervisor->start_ns = elapsed_ms(supervisor) * 1000000;
    if (supervisor->is_paused)
        recording_suspend(supervisor->recording);
    supervisor->was_paused |= supervisor->is_paused;
    supervisor->every_ns = ender->every_ns;
    supervisor->every_len = ender->every_len;
    *ret_is_recorded = false;
    error = attach_all(supervisor);
    if (error)
        return hand_over(&error);
    do {
        process_tree_update(supervisor->tree);
        take_error(supervisor->tree, &error);
        if (error && !may_become_python(supervisor, error))
            break;
        report_readiness(supervisor);
        note_first_part(supervisor);
        wait_for_event(supervisor, process_tree_fd(supervisor->tree), next_timeout_ms(supervisor));
        take_signals(supervisor);
        look_for_end(supervisor);
        if (supervisor->has_progress_line)
            progress_show(supervisor->recording, elapsed_ms(supervisor) - supervisor->part_ms, left_ms(supervisor));
        save_error = save_if_due(supervisor, &is_over);
        if (!save_error)
            save_error = end_part_if_over(supervisor, ender);
    } while (!save_error && !is_over && !is_finished(supervisor));
    if (supervisor->has_progress_line)
        progress_clear();
    *ret_is_recorded = process_tree_was_attached(supervisor->tree);
    return *ret_is_recorded ? save_error : hand_over(&error);
}

int supervisor_wait_for_child(struct supervisor *supervisor)
{
    while (!supervisor->has_ended && supervisor->signal_count < 3) {
        wait_for_event(supervisor, -1, -1);
        take_signals(supervisor);
        look_for_end(supervisor);
    }
    return supervisor->has_ended ? supervisor->child_status : SIGNAL_STATUS + supervisor->last_signal;
}
