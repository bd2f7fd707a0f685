/* SPDX-License-Identifier: MIT */
#include "sampler/recording.h"

#include "base/cleanup.h"
#include "profile/profile.h"
#include "relay.h"
#include "schedule.h"
#include "session.h"
#include "short_path.h"
#include "stack_counter.h"
#include "target/process.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

enum {
    TRY_LIMIT = 4,             /* readings of one interval: the first, and at most three more */
    HANDOVER_TIME_NS = 300000, /* after the deadline, beyond which an interval is not handed over a second time */
    MOTION_NS = 10000,         /* what the program gets to finish a call or return; it takes far less */
};

/* Written by the sampling thread, read by anybody. */
struct counters {
    _Atomic uint64_t samples, ok, idle, torn, unreadable, missed, elsewhere, first_sample_ns;
    _Atomic uint64_t unreadable_by_cause[PYTHON_STATUS_COUNT];
};

struct recording {
    struct recording_options options;
    struct profile *profile;
    struct stack_counter counter;
    const struct process *process;
    struct session *session;
    struct relay *relay;
    struct schedule schedule;
    bool is_started; /* the schedule runs */
    uint64_t attach_ns;
    uint64_t end_ns; /* when sampling ended; 0 while it goes on */
    int tries;       /* of the current interval */
    int changed;     /* eventfd */
    _Atomic enum recording_state state;
    struct counters counters;
};

struct error *recording_create(const struct recording_options *options, struct profile *profile, struct recording **ret)
{
    cleanup_recording struct recording *recording = calloc(1, sizeof(*recording));
    if (!recording)
        return error_no_memory();
    recording->options = *options;
    recording->profile = profile;
    stack_counter_init(&recording->counter, options, profile);
    recording->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (recording->changed < 0)
        return error_from_errno(errno, "cannot make an event descriptor");
    *ret = hand_over(&recording);
    return NULL;
}

/* Ends sampling for good or until the next attach. */
static void detach(struct recording *recording)
{
    relay_destroy(recording->relay);
    recording->relay = NULL;
    session_close(recording->session);
    recording->session = NULL;
}

void recording_destroy(struct recording *recording)
{
    if (!recording)
        return;
    detach(recording);
    stack_counter_deinit(&recording->counter);
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

struct recording_progress recording_progress(const struct recording *recording)
{
    const struct counters *counters = &recording->counters;
    struct recording_progress progress = {
        .samples = counters->samples,
        .torn = counters->torn,
        .unreadable = counters->unreadable,
        .missed = counters->missed,
        .elsewhere = counters->elsewhere,
        .first_sample_ns = counters->first_sample_ns,
    };
    progress.intervals = counters->ok + counters->idle + progress.torn + progress.unreadable + progress.missed;
    for (int i = 0; i < PYTHON_STATUS_COUNT; i++)
        progress.unreadable_by_cause[i] = counters->unreadable_by_cause[i];
    return progress;
}

/* Tells the world and ends the relay's work. */
static int end_with(struct recording *recording, enum recording_state state)
{
    uint64_t one = 1;
    recording->end_ns = monotonic_now_ns();
    atomic_store(&recording->state, state);
    /* The counter of an eventfd cannot overflow from one; nothing else can fail. */
    (void)!write(recording->changed, &one, sizeof(one));
    return RELAY_STOP;
}

static bool is_wanted(const struct recording_options *options, const struct sampled_thread *thread)
{
    if (options->only_gil)
        return thread->python->holds_gil;
    return thread->is_active || options->with_idle;
}

/* How reading the stacks of one sample ended. */
enum walk_result {
    WALK_PROVED,
    WALK_TORN,
    WALK_INCOMPLETE, /* a thread could not be read: caught in the middle of a call or return, perhaps */
};

static enum walk_result walk_threads(struct recording *recording)
{
    uint32_t count;
    bool is_incomplete = false;
    struct sampled_thread *threads = session_threads(recording->session, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (is_wanted(&recording->options, &threads[i]) && session_walk(recording->session, &threads[i]) != PYTHON_OK)
            is_incomplete = true;
    }
    if (!session_end_sample(recording->session))
        return WALK_TORN;
    return is_incomplete ? WALK_INCOMPLETE : WALK_PROVED;
}

/* What the threads of one proved sample came to. */
struct sample_result {
    uint32_t counted;
    enum python_status failure; /* of a thread that could not be read */
};

static struct sample_result count_threads(struct recording *recording)
{
    struct sample_result result = {.failure = PYTHON_OK};
    uint32_t count;
    struct sampled_thread *threads = session_threads(recording->session, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_wanted(&recording->options, &threads[i]))
            continue;
        if (threads[i].python->status != PYTHON_OK) {
            result.failure = threads[i].python->status;
            recording->counters.unreadable_by_cause[result.failure]++;
            continue;
        }
        if (threads[i].python->frame_count == 0)
            continue;
        uint32_t node = stack_counter_find(&recording->counter, recording->session, &threads[i]);
        if (node == PROFILE_NONE) {
            result.failure = PYTHON_NO_MEMORY;
            break;
        }
        profile_count(recording->profile, node, 1);
        result.counted++;
    }
    return result;
}

static void note_first_sample(struct recording *recording)
{
    if (recording->counters.first_sample_ns == 0)
        recording->counters.first_sample_ns = monotonic_now_ns() - recording->attach_ns;
}

/* Counts a proved sample. Returns false when sampling cannot go on. */
static bool count_sample(struct recording *recording)
{
    struct sample_result result = count_threads(recording);
    note_first_sample(recording);
    recording->counters.samples += result.counted;
    if (result.counted > 0)
        recording->counters.ok++;
    else if (result.failure != PYTHON_OK)
        recording->counters.unreadable++;
    else
        recording->counters.idle++;
    return result.failure != PYTHON_NO_MEMORY;
}

/* What becomes of an interval after one reading. */
enum reading_result {
    READING_DONE,   /* the interval is counted */
    READING_AGAIN,  /* read again, perhaps elsewhere */
    READING_LATER,  /* read again when the program has run on for a moment */
    READING_LOST,   /* there is nothing to read any more */
    READING_FAILED, /* no memory of our own */
};

static bool is_last_try(const struct recording *recording)
{
    return recording->tries >= TRY_LIMIT;
}

/* What is broken when it is read may only be under construction: it is counted when it stays like that. */
static enum reading_result count_failure(struct recording *recording)
{
    if (!session_is_current(recording->session))
        return READING_LOST;
    if (!is_last_try(recording))
        return READING_LATER;
    recording->counters.unreadable_by_cause[session_failure(recording->session)]++;
    recording->counters.unreadable++;
    return READING_DONE;
}

static enum reading_result finish_reading(struct recording *recording)
{
    uint32_t count;
    session_threads(recording->session, &count);
    if (count == 0 && !session_is_current(recording->session))
        return READING_LOST;
    enum walk_result result = walk_threads(recording);
    if (result == WALK_TORN)
        return READING_AGAIN;
    if (result == WALK_INCOMPLETE && !is_last_try(recording))
        return READING_LATER;
    return count_sample(recording) ? READING_DONE : READING_FAILED;
}

static enum reading_result read_once(struct recording *recording, int cpu, int *next_cpu)
{
    switch (session_begin_sample(recording->session, cpu, next_cpu)) {
    case SAMPLE_PROVED:
        return finish_reading(recording);
    case SAMPLE_ELSEWHERE:
    case SAMPLE_TORN:
        return READING_AGAIN;
    case SAMPLE_UNREADABLE:
        return count_failure(recording);
    case SAMPLE_GONE:
        break;
    }
    return READING_LOST;
}

/* Whether another reading for the current interval is worth it. What takes long is going from CPU to CPU. */
static bool may_try_again(const struct recording *recording, bool is_elsewhere)
{
    if (is_last_try(recording))
        return false;
    return !is_elsewhere || recording->tries == 1 ||
           monotonic_now_ns() < recording->schedule.deadline_ns + HANDOVER_TIME_NS;
}

static void count_torn(struct recording *recording, int cpu, int next_cpu)
{
    recording->counters.torn++;
    if (next_cpu != cpu && relay_is_refused(recording->relay, next_cpu))
        recording->counters.elsewhere++;
}

/* One reading; the first one of an interval waits for its deadline. Returns where the next one has to be. */
static int take_step(void *context, int cpu)
{
    struct recording *recording = context;
    int next_cpu = cpu;
    if (recording->tries == 0) {
        bool is_over = schedule_is_over(&recording->schedule);
        uint64_t wake_ns = is_over ? recording->schedule.end_ns : recording->schedule.deadline_ns;
        if (!relay_sleep_until(recording->relay, wake_ns))
            return RELAY_STOP;
        if (is_over)
            return end_with(recording, RECORDING_OVER);
    }
    recording->tries++;
    enum reading_result result = read_once(recording, cpu, &next_cpu);
    bool is_torn = result == READING_AGAIN || result == READING_LATER;
    if (is_torn && may_try_again(recording, next_cpu != cpu)) {
        if (result == READING_LATER && !relay_sleep_until(recording->relay, monotonic_now_ns() + MOTION_NS))
            return RELAY_STOP;
        return next_cpu;
    }
    if (result == READING_LOST)
        return end_with(recording, RECORDING_LOST);
    if (result == READING_FAILED)
        return end_with(recording, RECORDING_FAILED);
    if (is_torn)
        count_torn(recording, cpu, next_cpu);
    recording->tries = 0;
    recording->counters.missed += schedule_advance(&recording->schedule, monotonic_now_ns());
    return next_cpu;
}

static void start_schedule(struct recording *recording)
{
    uint64_t now = monotonic_now_ns(), seed = now;
    if (recording->is_started) {
        recording->counters.missed += schedule_advance(&recording->schedule, now) + 1;
        return;
    }
    /* Without random bytes, which the kernel refuses only at boot, the time is good enough. */
    (void)!getrandom(&seed, sizeof(seed), 0);
    schedule_init(&recording->schedule, now, recording->options.interval_ns, recording->options.duration_ns, seed);
    recording->is_started = true;
}

struct error *recording_attach(struct recording *recording, const struct process *process)
{
    uint64_t attach_ns = monotonic_now_ns(), event;
    cleanup_session struct session *session = NULL;
    cleanup_relay struct relay *relay = NULL;
    struct error *error = session_open(process, &session);
    if (!error)
        error = relay_create(take_step, recording, &relay);
    if (error)
        return error;
    detach(recording);
    /* Nothing to read is fine: the event of an earlier change may have been taken already. */
    (void)!read(recording->changed, &event, sizeof(event));
    stack_counter_forget(&recording->counter);
    recording->process = process;
    recording->attach_ns = attach_ns;
    recording->session = hand_over(&session);
    recording->relay = hand_over(&relay);
    recording->tries = 0;
    recording->end_ns = 0;
    atomic_store(&recording->state, RECORDING_RUNNING);
    start_schedule(recording);
    error = relay_start(recording->relay);
    if (error)
        atomic_store(&recording->state, RECORDING_FAILED);
    return error;
}

/* Gives a file its short name. */
static struct error *shorten(void *context, uint32_t file)
{
    struct recording *recording = context;
    size_t len;
    const char *path = profile_string(recording->profile, file, &len);
    size_t start = short_path_start(recording->process, path, len);
    cleanup_free char *short_path = strndup(path + start, len - start);
    uint32_t string = short_path ? profile_intern(recording->profile, short_path, strlen(short_path)) : PROFILE_NONE;
    if (string == PROFILE_NONE)
        return error_no_memory();
    profile_set_short_file(recording->profile, file, string);
    return NULL;
}

struct error *recording_finish(struct recording *recording)
{
    detach(recording);
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
    return profile_each_file(recording->profile, shorten, recording);
}
