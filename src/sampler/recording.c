/* SPDX-License-Identifier: MIT */
#include "sampler/recording.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "counters.h"
#include "profile/profile.h"
#include "relay.h"
#include "schedule.h"
#include "short_path.h"
#include "subject.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

enum {
    MOTION_NS = 10000, /* what a program gets to finish a call or return; it takes far less */
};

struct recording {
    struct recording_options options;
    struct profile *profile;
    struct relay *relay;
    int changed; /* eventfd */
    _Atomic enum recording_state state;
    struct counters counters;

    /* Held by the thread that samples while it reads, not while it sleeps; and by who changes the list of subjects. */
    pthread_mutex_t lock;
    struct subject **subjects;
    uint32_t subject_count, subject_capacity;
    struct schedule schedule;
    uint64_t slept_ns; /* for the deadline of the current interval */
    bool is_started;   /* the schedule runs */
    bool is_reading;   /* the deadline of the current interval is over, and some subjects are not done */
    uint64_t end_ns;   /* when sampling ended; 0 while it goes on */
};

struct error *recording_create(const struct recording_options *options, struct profile *profile, struct recording **ret)
{
    struct recording *recording = calloc(1, sizeof(*recording));
    if (!recording)
        return error_no_memory();
    recording->options = *options;
    recording->profile = profile;
    pthread_mutex_init(&recording->lock, NULL);
    recording->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (recording->changed < 0) {
        recording_destroy(recording);
        return error_from_errno(errno, "cannot make an event descriptor");
    }
    *ret = recording;
    return NULL;
}

/* Ends sampling for good. */
static void stop(struct recording *recording)
{
    relay_destroy(recording->relay);
    recording->relay = NULL;
    for (uint32_t i = 0; i < recording->subject_count; i++) {
        struct subject *subject = recording->subjects[i];
        if (!subject->is_lost)
            recording->counters.missed += recording->schedule.interval - subject->unseen_from;
        subject_close(subject);
    }
    recording->subject_count = 0;
}

void recording_destroy(struct recording *recording)
{
    if (!recording)
        return;
    stop(recording);
    free(recording->subjects);
    pthread_mutex_destroy(&recording->lock);
    cleanup_close_fd(&recording->changed);
    free(recording);
}

enum recording_state recording_state(const struct recording *recording)
{
    enum recording_state state = atomic_load(&recording->state);
    /* Between two programs of the process nobody but us looks at the clock. */
    if (state == RECORDING_LOST && monotonic_now_ns() >= recording->schedule.end_ns)
        return RECORDING_OVER;
    return state;
}

int recording_fd(const struct recording *recording)
{
    return recording->changed;
}

void recording_take_changes(struct recording *recording)
{
    uint64_t changes;
    /* Nothing to read is fine: then nothing has changed. */
    (void)!read(recording->changed, &changes, sizeof(changes));
}

struct recording_progress recording_progress(const struct recording *recording)
{
    const struct counters *counters = &recording->counters;
    struct recording_progress progress = {
        .samples = counters->samples,
        .processes = counters->processes,
        .reads = counters->reads,
        .torn = counters->torn,
        .unreadable = counters->unreadable,
        .missed = counters->missed,
        .incomplete = counters->incomplete,
        .elsewhere = counters->elsewhere,
        .late = counters->late,
        .unseen = counters->late - counters->late_looks,
        .lateness_ns = counters->late_looks > 0 ? counters->late_ns / counters->late_looks : 0,
        .is_untested = counters->is_untested,
        .first_sample_ns = counters->first_sample_ns,
    };
    progress.intervals = counters->ok + counters->idle + progress.torn + progress.unreadable + progress.missed;
    for (int i = 0; i < PYTHON_STATUS_COUNT; i++)
        progress.unreadable_by_cause[i] = counters->unreadable_by_cause[i];
    return progress;
}

/* Tells the world that something has changed. */
static void announce(const struct recording *recording)
{
    uint64_t one = 1;
    /* The counter of an eventfd cannot overflow by ones; nothing else can fail. */
    (void)!write(recording->changed, &one, sizeof(one));
}

/* Ends the relay's work. */
static int end_with(struct recording *recording, enum recording_state state)
{
    recording->end_ns = monotonic_now_ns();
    recording->is_reading = false;
    atomic_store(&recording->state, state);
    announce(recording);
    return RELAY_STOP;
}

/* Waits for the deadline of the next interval. Returns false when the relay is to stop. */
static bool wait_for_deadline(struct recording *recording)
{
    bool is_over = schedule_is_over(&recording->schedule);
    uint64_t start_ns = monotonic_now_ns();
    if (!relay_sleep_until(recording->relay, is_over ? recording->schedule.end_ns : recording->schedule.deadline_ns))
        return false;
    recording->slept_ns = monotonic_now_ns() - start_ns;
    if (is_over)
        end_with(recording, RECORDING_OVER);
    return !is_over;
}

static void begin_interval(struct recording *recording)
{
    recording->is_reading = true;
    for (uint32_t i = 0; i < recording->subject_count; i++) {
        if (!recording->subjects[i]->is_lost)
            subject_begin_interval(recording->subjects[i], &recording->schedule, recording->slept_ns);
    }
}

/* What a turn at one CPU has left. */
struct turn {
    uint32_t sampled; /* subjects that are still there */
    uint32_t pending;
    bool is_resting; /* some subject has to run on for a moment */
    bool has_failed;
    int next_cpu; /* where most is left to do, or else where the next interval can begin */
};

/* Whether a subject is to be read here, or can be as well as anywhere else. */
static bool is_wanted_here(const struct recording *recording, const struct subject *subject, int cpu)
{
    return subject->next_cpu == cpu || !relay_can_reach(recording->relay, subject->next_cpu);
}

static void read_subject(struct recording *recording, struct subject *subject, int cpu, struct turn *turn)
{
    switch (subject_read(subject, cpu, recording->relay)) {
    case SUBJECT_RESTING:
        turn->is_resting = true;
        break;
    case SUBJECT_LOST:
        announce(recording);
        break;
    case SUBJECT_FAILED:
        turn->has_failed = true;
        break;
    case SUBJECT_DONE:
    case SUBJECT_PENDING:
        break;
    }
}

/* The CPU of the first subject that is left, but this one if any is left here: so each CPU is gone to once. */
static int choose_cpu(const struct recording *recording, int cpu, bool is_reading)
{
    int chosen = -1;
    for (uint32_t i = 0; i < recording->subject_count; i++) {
        const struct subject *subject = recording->subjects[i];
        if (is_reading ? !subject->is_pending : subject->is_lost)
            continue;
        if (is_wanted_here(recording, subject, cpu))
            return cpu;
        if (chosen < 0)
            chosen = subject->next_cpu;
    }
    return chosen < 0 ? cpu : chosen;
}

/* Reads once each subject that is wanted here. */
static struct turn take_turn(struct recording *recording, int cpu)
{
    struct turn turn = {0};
    for (uint32_t i = 0; i < recording->subject_count; i++) {
        struct subject *subject = recording->subjects[i];
        if (subject->is_pending && is_wanted_here(recording, subject, cpu))
            read_subject(recording, subject, cpu, &turn);
        turn.sampled += !subject->is_lost;
        turn.pending += subject->is_pending;
    }
    turn.next_cpu = choose_cpu(recording, cpu, turn.pending > 0);
    return turn;
}

/* Goes on to the next interval when this one is done with all subjects. Returns what the relay has to do. */
static int finish_turn(struct recording *recording, const struct turn *turn)
{
    if (turn->has_failed)
        return end_with(recording, RECORDING_FAILED);
    if (turn->sampled == 0)
        return end_with(recording, RECORDING_LOST);
    if (turn->pending == 0) {
        recording->is_reading = false;
        schedule_advance(&recording->schedule, monotonic_now_ns());
    }
    return turn->next_cpu;
}

/* One turn; the first one of an interval waits for its deadline. Returns where the next one has to be. */
static int take_step(void *context, int cpu)
{
    struct recording *recording = context;
    if (!recording->is_reading && !wait_for_deadline(recording))
        return RELAY_STOP;
    pthread_mutex_lock(&recording->lock);
    if (!recording->is_reading)
        begin_interval(recording);
    const struct turn turn = take_turn(recording, cpu);
    int next = finish_turn(recording, &turn);
    pthread_mutex_unlock(&recording->lock);
    if (turn.is_resting && next >= 0 && !relay_sleep_until(recording->relay, monotonic_now_ns() + MOTION_NS))
        return RELAY_STOP;
    return next;
}
/* Starts the clock, or lets it go on after a time in which there was nothing to sample. */
static void start_schedule(struct recording *recording)
{
    uint64_t now = monotonic_now_ns(), seed = now;
    recording->end_ns = 0;
    if (recording->is_started) {
        schedule_advance(&recording->schedule, now);
        return;
    }
    /* Without random bytes, which the kernel refuses only at boot, the time is good enough. */
    (void)!getrandom(&seed, sizeof(seed), 0);
    schedule_init(&recording->schedule, now, recording->options.interval_ns, recording->options.duration_ns, seed);
    recording->is_started = true;
}

/* Lets another relay sample, now that there is something to sample. */
static struct error *start(struct recording *recording)
{
    relay_destroy(recording->relay);
    recording->relay = NULL;
    struct error *error = relay_create(take_step, recording, &recording->relay);
    if (error)
        return error;
    atomic_store(&recording->state, RECORDING_RUNNING);
    error = relay_start(recording->relay);
    if (error)
        atomic_store(&recording->state, RECORDING_FAILED);
    return error;
}

void recording_pause(struct recording *recording)
{
    relay_destroy(recording->relay);
    recording->relay = NULL;
}

void recording_go_on(struct recording *recording)
{
    if (atomic_load(&recording->state) != RECORDING_RUNNING)
        return;
    cleanup_error struct error *error = start(recording);
    if (error)
        atomic_store(&recording->state, RECORDING_FAILED);
}

/* Where the subject of a process is in the list; its end when it has none. */
static uint32_t find_subject(const struct recording *recording, const struct process *process)
{
    uint32_t index = 0;
    while (index < recording->subject_count && recording->subjects[index]->process != process)
        index++;
    return index;
}

/*
 * Puts a subject into the list. *subject becomes the one that its process had before, for the caller to close; what
 * that one did not see counts as missed. False, and *subject is the caller's still, without memory.
 */
static bool exchange_subject(struct recording *recording, struct subject **subject)
{
    uint32_t index = find_subject(recording, (*subject)->process);
    uint64_t first_seen = recording->schedule.interval + recording->is_reading;
    (*subject)->unseen_from = first_seen;
    if (index == recording->subject_count) {
        if (!array_grow(&recording->subjects, index, &recording->subject_capacity, sizeof(struct subject *)))
            return false;
        recording->subjects[recording->subject_count++] = hand_over(subject);
        recording->counters.processes++;
        return true;
    }
    struct subject *old = recording->subjects[index];
    if (old->is_lost)
        recording->counters.missed += first_seen - old->unseen_from;
    recording->subjects[index] = *subject;
    *subject = old;
    return true;
}

struct error *recording_attach(struct recording *recording, const struct process *process)
{
    cleanup_subject struct subject *subject = NULL;
    struct error *error =
        subject_open(process, &recording->options, recording->profile, &recording->counters, &subject);
    if (error)
        return error;
    pthread_mutex_lock(&recording->lock);
    bool is_running = atomic_load(&recording->state) == RECORDING_RUNNING;
    if (!is_running)
        start_schedule(recording);
    bool is_in = exchange_subject(recording, &subject);
    pthread_mutex_unlock(&recording->lock);
    if (!is_in)
        return error_no_memory();
    return is_running ? NULL : start(recording);
}

void recording_detach(struct recording *recording, const struct process *process)
{
    struct subject *subject = NULL;
    pthread_mutex_lock(&recording->lock);
    uint32_t index = find_subject(recording, process);
    if (index < recording->subject_count) {
        subject = recording->subjects[index];
        recording->subjects[index] = recording->subjects[--recording->subject_count];
    }
    pthread_mutex_unlock(&recording->lock);
    subject_close(subject);
}

bool recording_samples(struct recording *recording, const struct process *process)
{
    pthread_mutex_lock(&recording->lock);
    uint32_t index = find_subject(recording, process);
    bool is_sampled = index < recording->subject_count && !recording->subjects[index]->is_lost;
    pthread_mutex_unlock(&recording->lock);
    return is_sampled;
}

/* What it takes to give files their short names. */
struct naming {
    struct profile *profile;
    const struct process *process; /* whose files tell them */
};

static struct error *shorten(void *context, uint32_t file)
{
    const struct naming *naming = context;
    size_t len;
    const char *path = profile_string(naming->profile, file, &len);
    size_t start = short_path_start(naming->process, path, len);
    cleanup_free char *short_path = strndup(path + start, len - start);
    uint32_t string = short_path ? profile_intern(naming->profile, short_path, strlen(short_path)) : PROFILE_NONE;
    if (string == PROFILE_NONE)
        return error_no_memory();
    profile_set_short_file(naming->profile, file, string);
    return NULL;
}

struct error *recording_finish(struct recording *recording, const struct process *process)
{
    stop(recording);
    struct profile_info *info = profile_info(recording->profile);
    const struct counters *counters = &recording->counters;
    info->interval_ns = recording->options.interval_ns;
    info->intervals = (struct profile_intervals){
        .ok = counters->ok,
        .idle = counters->idle,
        .torn = counters->torn,
        .unreadable = counters->unreadable,
        .missed = counters->missed,
    };
    if (!recording->is_started)
        return NULL;
    uint64_t end_ns = recording->end_ns ? recording->end_ns : monotonic_now_ns();
    info->duration_ns = end_ns - recording->schedule.start_ns;
    struct naming naming = {.profile = recording->profile, .process = process};
    return profile_each_file(recording->profile, shorten, &naming);
}
