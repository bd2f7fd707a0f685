/* SPDX-License-Identifier: MIT */
#include "sampler/recording.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "budget.h"
#include "counters.h"
#include "file_names.h"
#include "losses.h"
#include "profile/copy.h"
#include "profile/losses.h"
#include "profile/profile.h"
#include "profile/recording_writer.h"
#include "relay.h"
#include "sample_log.h"
#include "schedule.h"
#include "subject.h"
#include "suspension.h"
#include "target/departures.h"
#include "target/quota.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>

enum {
    MOTION_NS = 10000,     /* what a program gets to finish a call or return; it takes far less */
    LOG_LIMIT = 64 * 1024, /* samples that wait to be saved before somebody is told */
};

static const uint64_t rest_limit_ns = UINT64_C(3000000000);

struct recording {
    struct recording_options options;
    struct profile *profile;
    struct relay *relay;
    int changed; /* eventfd */
    _Atomic enum recording_state state;
    struct counters counters;
    struct file_names names;     /* only touched by who saves, */
    struct sample_log spare_log; /* and so is this */
    uint64_t suspended_ns;       /* since when nothing is recorded; 0: that is not so */
    uint64_t start_unix_ns;      /* when the schedule began */
    struct suspension suspension;

    /* Held by the thread that samples while it reads, not while it sleeps; and by who changes the list of subjects. */
    pthread_mutex_t lock;
    struct subject **subjects;
    uint32_t subject_count, subject_capacity;
    struct schedule schedule;
    uint64_t rested_from_ns; /* when the interval before was done with, or sampling began */
    uint64_t slept_ns;       /* from then on, for the deadline of the current interval */
    bool is_started;         /* the schedule runs */
    bool is_full;            /* the log has so many samples that it is to be saved */
    struct sample_log log;
    bool is_reading; /* the deadline of the current interval is over, and some subjects are not done */
    uint64_t end_ns; /* when sampling ended; 0 while it goes on */

    struct budget budget;      /* of CPU time, when threads are stopped for samples */
    uint64_t resting_since_ns; /* when it was found used up; 0: it is not */
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
        struct error *error = error_from_errno(errno, "cannot make an event descriptor");
        recording_destroy(recording);
        return error;
    }
    *ret = recording;
    return NULL;
}

/* The number of the first interval that is not due at this time. */
static uint64_t due_until(const struct recording *recording, uint64_t now_ns)
{
    const struct schedule *schedule = &recording->schedule;
    if (!recording->is_started || recording->suspended_ns > 0)
        return schedule->interval;
    return schedule_due(schedule, now_ns < schedule->end_ns ? now_ns : schedule->end_ns);
}

/* Enters what a subject was not looked at for into the books. */
static void count_unseen(struct recording *recording, struct subject *subject, uint64_t end_ns)
{
    uint64_t due = due_until(recording, end_ns);
    subject_leave_interval(subject);
    if (!subject->is_lost && due > subject->unseen_from)
        recording->counters.missed += due - subject->unseen_from;
}

/* Ends sampling for good. */
static void stop(struct recording *recording)
{
    relay_destroy(recording->relay);
    recording->relay = NULL;
    for (uint32_t i = 0; i < recording->subject_count; i++) {
        struct subject *subject = recording->subjects[i];
        count_unseen(recording, subject, recording->end_ns);
        subject_close(subject);
    }
    recording->subject_count = 0;
    departures_end();
}

void recording_destroy(struct recording *recording)
{
    if (!recording)
        return;
    stop(recording);
    free(recording->subjects);
    sample_log_deinit(&recording->log);
    sample_log_deinit(&recording->spare_log);
    file_names_deinit(&recording->names);
    pthread_mutex_destroy(&recording->lock);
    cleanup_close_fd(&recording->changed);
    free(recording);
}

enum recording_state recording_state(const struct recording *recording)
{
    enum recording_state state = atomic_load(&recording->state);
    /* Between two programs of the process nobody but us looks at the clock. */
    bool is_unwatched = state == RECORDING_LOST && recording->suspended_ns == 0;
    if (is_unwatched && monotonic_now_ns() >= recording->schedule.end_ns)
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

bool recording_is_full(struct recording *recording)
{
    pthread_mutex_lock(&recording->lock);
    bool is_full = recording->is_full;
    pthread_mutex_unlock(&recording->lock);
    return is_full;
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
        .native_missing = counters->native_missing,
        .native_unmatched = counters->native_unmatched,
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

/* The recording ends now, or when it was to end: we can have been stopped meanwhile. */
static void note_end(struct recording *recording)
{
    uint64_t now = monotonic_now_ns(), end_ns = recording->schedule.end_ns;
    recording->end_ns = recording->is_started && end_ns < now ? end_ns : now;
}

/* Ends the relay's work. */
static int end_with(struct recording *recording, enum recording_state state)
{
    note_end(recording);
    recording->is_reading = false;
    atomic_store(&recording->state, state);
    announce(recording);
    return RELAY_STOP;
}

/* When there is something to do again, between two intervals. */
static uint64_t next_ns(const struct schedule *schedule)
{
    return schedule_is_over(schedule) ? schedule->end_ns : schedule->deadline_ns;
}

/* Looks how much CPU time we may have, where being throttled would hold threads. */
static void look_at_quota(struct recording *recording)
{
    struct quota quota;
    if (recording_stops_threads(&recording->options))
        budget_set(&recording->budget, quota_read(NULL, NULL, &quota) ? &quota : NULL);
}

/*
 * Until when no thread may be stopped, as CPU time is used up; 0: one may be now. Where it is used up for seconds, that
 * is how it is, and there are samples all the same.
 */
static uint64_t rest_end_ns(struct recording *recording)
{
    if (!budget_is_limited(&recording->budget))
        return 0;
    uint64_t now_ns = monotonic_now_ns();
    uint64_t end_ns = budget_rest_end_ns(&recording->budget, now_ns, budget_used_ns(&recording->budget));
    if (end_ns <= now_ns)
        recording->resting_since_ns = 0;
    else if (recording->resting_since_ns == 0)
        recording->resting_since_ns = now_ns;
    return end_ns > now_ns && now_ns < recording->resting_since_ns + rest_limit_ns ? end_ns : 0;
}

/* Lets intervals pass until then, or until the relay is to stop. */
static void rest_until(struct recording *recording, uint64_t end_ns)
{
    struct schedule *schedule = &recording->schedule;
    end_ns = end_ns < schedule->end_ns ? end_ns : schedule->end_ns;
    if (!relay_sleep_until(recording->relay, end_ns))
        return;
    pthread_mutex_lock(&recording->lock);
    schedule_leave(schedule, end_ns);
    pthread_mutex_unlock(&recording->lock);
}

/* Waits for the deadline of the next interval. Returns false when the relay is to stop. */
static bool wait_for_deadline(struct recording *recording)
{
    while (relay_sleep_until(recording->relay, next_ns(&recording->schedule))) {
        if (schedule_is_over(&recording->schedule)) {
            pthread_mutex_lock(&recording->lock);
            end_with(recording, RECORDING_OVER);
            pthread_mutex_unlock(&recording->lock);
            return false;
        }
        uint64_t end_ns = rest_end_ns(recording);
        if (end_ns == 0) {
            recording->slept_ns = monotonic_now_ns() - recording->rested_from_ns;
            return true;
        }
        rest_until(recording, end_ns);
    }
    return false;
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

/* Has the log saved when it has become long, earlier than that would happen anyway. */
static void watch_log(struct recording *recording)
{
    if (recording->log.count < LOG_LIMIT || recording->is_full)
        return;
    recording->is_full = true;
    announce(recording);
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
        recording->rested_from_ns = monotonic_now_ns();
        schedule_advance(&recording->schedule, recording->rested_from_ns);
        relay_rest_until(recording->relay, next_ns(&recording->schedule));
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
    watch_log(recording);
    pthread_mutex_unlock(&recording->lock);
    if (turn.is_resting && next >= 0 && !relay_sleep_until(recording->relay, monotonic_now_ns() + MOTION_NS))
        return RELAY_STOP;
    return next;
}

static uint64_t wall_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Starts the clock, or lets it go on after a time in which there was nothing to sample. */
static void start_schedule(struct recording *recording)
{
    uint64_t now = monotonic_now_ns(), seed = now;
    recording->end_ns = 0;
    recording->rested_from_ns = now;
    if (recording->is_started) {
        schedule_advance(&recording->schedule, now);
        return;
    }
    /* Without random bytes, which the kernel refuses only at boot, the time is good enough. */
    (void)!getrandom(&seed, sizeof(seed), 0);
    schedule_init(&recording->schedule, now, recording->options.interval_ns, recording->options.duration_ns, seed);
    recording->start_unix_ns = wall_now_ns();
    recording->is_started = true;
}

/* Ends what threads pay for being watched. */
static void rest(struct recording *recording)
{
    for (uint32_t i = 0; i < recording->subject_count; i++)
        subject_rest(recording->subjects[i]);
    departures_end();
}

/* Lets another relay sample, now that there is something to sample. */
static struct error *start(struct recording *recording)
{
    relay_destroy(recording->relay);
    recording->relay = NULL;
    if (recording->suspended_ns > 0) {
        rest(recording);
        atomic_store(&recording->state, RECORDING_RUNNING);
        return NULL;
    }
    look_at_quota(recording);
    struct error *error = relay_create(take_step, recording, &recording->relay);
    if (error)
        return error;
    atomic_store(&recording->state, RECORDING_RUNNING);
    if (recording->options.with_native)
        departures_prepare(true);
    error = relay_start(recording->relay);
    if (error)
        atomic_store(&recording->state, RECORDING_FAILED);
    /* While the first samples are taken already, as it takes long. */
    else if (!recording_stops_threads(&recording->options))
        departures_prepare(false);
    return error;
}

void recording_pause(struct recording *recording)
{
    relay_destroy(recording->relay);
    recording->relay = NULL;
    rest(recording);
}

void recording_go_on(struct recording *recording)
{
    if (atomic_load(&recording->state) != RECORDING_RUNNING || recording->suspended_ns > 0)
        return;
    cleanup_error struct error *error = start(recording);
    if (error)
        atomic_store(&recording->state, RECORDING_FAILED);
}

/* What has passed by now is none of the subjects' business any more. */
static void skip_to_current(struct recording *recording)
{
    for (uint32_t i = 0; i < recording->subject_count; i++)
        subject_skip_to(recording->subjects[i], recording->schedule.interval);
}

void recording_suspend(struct recording *recording)
{
    if (recording->suspended_ns > 0)
        return;
    recording_pause(recording);
    uint64_t now = monotonic_now_ns();
    for (uint32_t i = 0; i < recording->subject_count; i++)
        count_unseen(recording, recording->subjects[i], now);
    if (recording->is_started)
        schedule_leave(&recording->schedule, now);
    skip_to_current(recording);
    recording->suspended_ns = now;
}

void recording_resume(struct recording *recording)
{
    if (recording->suspended_ns == 0)
        return;
    uint64_t now = monotonic_now_ns(), since = recording->suspended_ns;
    recording->suspended_ns = 0;
    if (!recording->is_started)
        return;
    since = since > recording->schedule.start_ns ? since : recording->schedule.start_ns;
    recording->is_reading = false;
    recording->rested_from_ns = now;
    schedule_put_off(&recording->schedule, now - since);
    for (uint32_t i = 0; i < recording->subject_count; i++)
        subject_leave_interval(recording->subjects[i]);
    skip_to_current(recording);
    recording_go_on(recording);
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
    if (old->is_lost && first_seen > old->unseen_from)
        recording->counters.missed += first_seen - old->unseen_from;
    recording->subjects[index] = *subject;
    *subject = old;
    return true;
}

struct error *recording_attach(struct recording *recording, const struct process *process)
{
    cleanup_subject struct subject *subject = NULL;
    struct error *error = subject_open(process, &recording->options, recording->profile, &recording->log,
                                       &recording->lock, &recording->counters, &subject);
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
        count_unseen(recording, subject, monotonic_now_ns());
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

/* The CPU time of the processes, as far as it was read. */
static uint64_t cpu_time(const struct recording *recording)
{
    uint64_t cpu_ns = recording->counters.cpu_ns;
    for (uint32_t i = 0; i < recording->subject_count; i++)
        cpu_ns += subject_cpu_ns(recording->subjects[i]);
    return cpu_ns;
}

/* How much time up to end_ns was recorded. */
static uint64_t recorded_until(const struct recording *recording, uint64_t end_ns)
{
    uint64_t since = recording->suspended_ns, origin = recording->schedule.origin_ns;
    end_ns = since > 0 && since < end_ns ? since : end_ns;
    return end_ns > origin ? end_ns - origin : 0;
}

/* Completes the profile's info as of now. */
static struct error *describe(struct recording *recording)
{
    const struct suspension before = recording->suspension;
    suspension_note_now(&recording->suspension);
    recording->counters.suspended_ns += recording->suspension.total_ns - before.total_ns;
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
    info->gil_held = counters->gil_held;
    info->gil_waits = counters->gil_waits;
    if (recording->is_started) {
        uint64_t end_ns = recording->end_ns ? recording->end_ns : monotonic_now_ns();
        info->duration_ns = recorded_until(recording, end_ns);
        info->start_unix_ns = recording->start_unix_ns;
        info->cpu_ns = cpu_time(recording);
    }
    return losses_describe(counters, recording->profile) ? NULL : error_no_memory();
}

static bool is_too_large(const struct recording *recording)
{
    uint64_t limit = recording->options.table_limit;
    return limit > 0 && profile_size(recording->profile) > limit;
}

/* Lets the profile forget its stacks, if that is wanted and nobody needs them. *ret tells whether it did. */
static struct error *forget_stacks(struct recording *recording, bool is_wanted, bool *ret)
{
    *ret = is_wanted;
    /* What is still to be joined has numbers of this profile. */
    for (uint32_t i = 0; i < recording->subject_count; i++)
        *ret = *ret && subject_is_drained(recording->subjects[i]);
    if (!*ret)
        return NULL;
    cleanup_profile_copy struct profile_copy copy = {0};
    struct error *error = profile_copy_init(&copy, recording->profile);
    if (error)
        return error;
    profile_swap(copy.profile, recording->profile);
    recording->names.frame_count = 0;
    for (uint32_t i = 0; i < recording->subject_count; i++)
        subject_forget_stacks(recording->subjects[i]);
    return NULL;
}

/* What has to be done while no sample is taken: what is new in the profile is taken, and *log becomes the samples. */
static struct error *hand_over_profile(struct recording *recording, const struct recording_taker *taker, void *context,
                                       struct sample_log *log, bool is_to_forget, bool *ret_is_anew)
{
    struct error *error = file_names_set(&recording->names, recording->profile);
    if (!error)
        error = describe(recording);
    if (error)
        return error;
    taker->gather(context, recording->profile);
    const struct sample_log full = recording->log;
    recording->log = *log;
    *log = full;
    recording->is_full = false;
    return forget_stacks(recording, is_to_forget, ret_is_anew);
}

/* Whether all samples that were taken are in the log, and the next one will be of another interval. */
static bool is_between_intervals(const struct recording *recording)
{
    bool is_between =
        atomic_load(&recording->state) == RECORDING_RUNNING && recording->suspended_ns == 0 && !recording->is_reading;
    for (uint32_t i = 0; is_between && i < recording->subject_count; i++)
        is_between = subject_is_drained(recording->subjects[i]);
    return is_between;
}

/* What was recorded so far is passed over like a pause, and counted no more. */
static void forget_past(struct recording *recording)
{
    struct counters *counters = &recording->counters;
    schedule_count_from(&recording->schedule, monotonic_now_ns());
    recording->start_unix_ns = wall_now_ns();
    *counters = (struct counters){
        .processes = recording->subject_count,
        .is_untested = counters->is_untested,
        .first_sample_ns = counters->first_sample_ns,
    };
    for (uint32_t i = 0; i < recording->subject_count; i++)
        subject_forget_cpu_time(recording->subjects[i]);
    profile_clear_losses(recording->profile);
}

/* ret_is_begun: a part is to begin, if this is the moment; NULL: none. */
static struct error *pass_on(struct recording *recording, const struct process *process,
                             const struct recording_taker *taker, void *context, bool *ret_is_begun)
{
    bool is_anew = false;
    struct sample_log *spare = &recording->spare_log;
    spare->count = 0;
    look_at_quota(recording);
    pthread_mutex_lock(&recording->lock);
    struct error *error = file_names_collect(&recording->names, recording->profile);
    bool is_to_forget = is_too_large(recording);
    for (uint32_t i = 0; i < recording->subject_count; i++)
        subject_call(recording->subjects[i]);
    pthread_mutex_unlock(&recording->lock);
    if (error)
        return error;
    file_names_find(&recording->names, process);
    for (uint32_t i = 0; (is_to_forget || ret_is_begun) && i < recording->subject_count; i++)
        subject_drain(recording->subjects[i]);
    pthread_mutex_lock(&recording->lock);
    bool is_moment = ret_is_begun && is_between_intervals(recording);
    /* The next part has a file of its own, with nothing in it but its own stacks. */
    error = hand_over_profile(recording, taker, context, spare, is_moment || is_too_large(recording), &is_anew);
    if (!error && is_moment)
        forget_past(recording);
    pthread_mutex_unlock(&recording->lock);
    if (error)
        return error;
    error = taker->take(context, spare->samples, spare->count);
    if (is_anew && !is_moment) {
        pthread_mutex_lock(&recording->lock);
        taker->begin_anew(context, recording->profile);
        pthread_mutex_unlock(&recording->lock);
    }
    if (ret_is_begun)
        *ret_is_begun = is_moment;
    return error;
}

struct error *recording_hand_over(struct recording *recording, const struct process *process,
                                  const struct recording_taker *taker, void *context)
{
    return pass_on(recording, process, taker, context, NULL);
}

static void gather_for_writer(void *context, const struct profile *profile)
{
    recording_writer_gather(context, profile);
}

static struct error *write_samples(void *context, const struct sample *samples, uint32_t count)
{
    recording_writer_append(context, samples, count);
    return recording_writer_write(context);
}

static void begin_anew_for_writer(void *context, const struct profile *profile)
{
    recording_writer_begin_anew(context, profile);
}

static const struct recording_taker writer_taker = {gather_for_writer, write_samples, begin_anew_for_writer};

struct error *recording_save(struct recording *recording, const struct process *process,
                             struct recording_writer *writer)
{
    return pass_on(recording, process, &writer_taker, writer, NULL);
}

struct error *recording_begin_part(struct recording *recording, const struct process *process,
                                   struct recording_writer *writer, bool *ret_is_begun)
{
    return pass_on(recording, process, &writer_taker, writer, ret_is_begun);
}

void recording_stop(struct recording *recording)
{
    if (recording->suspended_ns > 0)
        skip_to_current(recording);
    if (recording->end_ns == 0)
        note_end(recording);
    stop(recording);
}
