/* SPDX-License-Identifier: MIT */
#include "sampler/recording.h"

#include "base/cleanup.h"
#include "profile/profile.h"
#include "python/runtime.h"
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
    _Atomic uint64_t samples, ok, idle, torn, unreadable, missed, incomplete, elsewhere, first_sample_ns;
    _Atomic bool is_untested;
    _Atomic uint64_t unreadable_by_cause[PYTHON_STATUS_COUNT];
};

/* What the readings of one interval came to. */
struct interval_result {
    uint32_t counted;           /* stacks */
    enum python_status failure; /* of a thread that could not be read */
};

struct recording {
    struct recording_options options;
    struct profile *profile;
    struct stack_counter counter;
    const struct process *process;
    struct session *session;
    struct relay *relay;
    struct schedule schedule;
    bool is_broken_off; /* the last attach ended within an interval of which nothing was counted */
    bool is_started;    /* the schedule runs */
    uint64_t attach_ns;
    uint64_t end_ns;               /* when sampling ended; 0 while it goes on */
    int tries;                     /* of the current interval, since a thread was counted */
    uint64_t begin_ns;             /* of those tries */
    struct interval_result result; /* of the current interval */
    int changed;                   /* eventfd */
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
        .incomplete = counters->incomplete,
        .elsewhere = counters->elsewhere,
        .is_untested = counters->is_untested,
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

static enum thread_choice choose_threads(const struct recording_options *options)
{
    if (options->only_gil)
        return THREADS_WITH_GIL;
    return options->with_idle ? THREADS_ALL : THREADS_ACTIVE;
}

/* Counts one thread that was walked. Returns false without memory. */
static bool count_thread(struct recording *recording, const struct sampled_thread *thread)
{
    struct interval_result *result = &recording->result;
    if (thread->python->status != PYTHON_OK) {
        result->failure = thread->python->status;
        recording->counters.unreadable_by_cause[result->failure]++;
    }
    if (thread->python->frame_count == 0)
        return true;
    uint32_t node = stack_counter_find(&recording->counter, recording->session, thread);
    if (node == PROFILE_NONE)
        return false;
    profile_count(recording->profile, node, 1);
    result->counted++;
    return true;
}

static void note_first_sample(struct recording *recording)
{
    if (recording->counters.first_sample_ns == 0)
        recording->counters.first_sample_ns = monotonic_now_ns() - recording->attach_ns;
}

/* Enters an interval into the books. is_torn: threads were left over. */
static void close_interval(struct recording *recording, bool is_torn)
{
    struct interval_result *result = &recording->result;
    recording->counters.samples += result->counted;
    if (result->counted > 0) {
        recording->counters.ok++;
        recording->counters.incomplete += is_torn;
    } else if (result->failure != PYTHON_OK) {
        recording->counters.unreadable++;
    } else if (is_torn) {
        recording->counters.torn++;
    } else {
        recording->counters.idle++;
    }
    *result = (struct interval_result){.failure = PYTHON_OK};
}

/* What becomes of an interval after one reading. */
enum reading_result {
    READING_DONE,   /* nothing is left to be read */
    READING_MORE,   /* some threads are done, others are left */
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
    recording->result.failure = session_failure(recording->session);
    recording->counters.unreadable_by_cause[recording->result.failure]++;
    return READING_AGAIN;
}

/*
 * The newer state of the kernel's thread that has this one, where that matters: a thread that has called into another
 * interpreter waits there with the rest of its stack, and is to be counted once.
 */
static const struct sampled_thread *find_newer_state(const struct sampled_thread *threads, uint32_t index,
                                                     enum thread_choice choice)
{
    const struct sampled_thread *thread = &threads[index];
    for (uint32_t i = 0; i < index; i++) {
        if (threads[i].python->interpreter_id == thread->python->interpreter_id)
            return NULL;
        if (threads[i].id == thread->id && (threads[i].is_counted || is_thread_pending(&threads[i], choice)))
            return &threads[i];
    }
    return NULL;
}

/* Counts one readable thread, unless another state of it is to be counted, or may be. False without memory. */
static bool finish_thread(struct recording *recording, struct sampled_thread *threads, uint32_t index)
{
    struct sampled_thread *thread = &threads[index];
    const struct sampled_thread *newer = find_newer_state(threads, index, choose_threads(&recording->options));
    if (newer && !newer->is_done)
        return true;
    thread->is_done = true;
    thread->is_counted = !newer && thread->python->frame_count > 0;
    return newer || count_thread(recording, thread);
}

/* Walks what is readable, and counts what has been proved of it. */
static enum reading_result count_readable(struct recording *recording)
{
    uint32_t count;
    enum reading_result result = READING_AGAIN;
    struct sampled_thread *threads = session_threads(recording->session, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (threads[i].is_readable)
            session_walk(recording->session, &threads[i]);
    }
    session_end_sample(recording->session);
    for (uint32_t i = 0; i < count; i++) {
        if (!threads[i].is_readable)
            continue;
        if (threads[i].python->status != PYTHON_OK && !is_last_try(recording)) {
            result = result == READING_MORE ? READING_MORE : READING_LATER;
            continue;
        }
        if (!finish_thread(recording, threads, i))
            return READING_FAILED;
        if (threads[i].is_done)
            result = READING_MORE;
    }
    return result;
}

static enum reading_result finish_reading(struct recording *recording, int *next_cpu)
{
    uint32_t count;
    session_threads(recording->session, &count);
    if (count == 0 && !session_is_current(recording->session))
        return READING_LOST;
    enum reading_result result = count_readable(recording);
    if (result == READING_FAILED)
        return result;
    note_first_sample(recording);
    return session_is_pending(recording->session, next_cpu) ? result : READING_DONE;
}

static enum reading_result read_once(struct recording *recording, int cpu, int *next_cpu)
{
    switch (session_begin_sample(recording->session, cpu, next_cpu)) {
    case SAMPLE_PROVED:
        return finish_reading(recording, next_cpu);
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
    return !is_elsewhere || recording->tries <= 1 || monotonic_now_ns() < recording->begin_ns + HANDOVER_TIME_NS;
}

/* Ends an interval, with what was read in it, and goes on to the next. */
static void finish_interval(struct recording *recording, bool is_torn, bool is_refused)
{
    if (is_torn && recording->result.counted == 0 && is_refused)
        recording->counters.elsewhere++;
    close_interval(recording, is_torn);
    recording->tries = 0;
    recording->counters.missed += schedule_advance(&recording->schedule, monotonic_now_ns());
}

/* Waits for the deadline of the next interval. Returns false when there is none. */
static bool begin_interval(struct recording *recording)
{
    bool is_over = schedule_is_over(&recording->schedule);
    recording->begin_ns = is_over ? recording->schedule.end_ns : recording->schedule.deadline_ns;
    if (!relay_sleep_until(recording->relay, recording->begin_ns))
        return false;
    if (is_over)
        end_with(recording, RECORDING_OVER);
    session_begin_interval(recording->session);
    return !is_over;
}

/* There is nothing to read any more: what was counted in this interval is entered into the books. */
static int break_off(struct recording *recording, enum recording_state state)
{
    recording->is_broken_off = recording->result.counted == 0;
    if (!recording->is_broken_off)
        finish_interval(recording, true, false);
    return end_with(recording, state);
}

/* Gives the threads that are left as many tries again, unless threads come faster than they are read. */
static void note_progress(struct recording *recording)
{
    uint64_t now = monotonic_now_ns();
    if (now > recording->schedule.deadline_ns + recording->schedule.interval_ns)
        return;
    recording->tries = 1;
    recording->begin_ns = now;
}

/* One reading; the first one of an interval waits for its deadline. Returns where the next one has to be. */
static int take_step(void *context, int cpu)
{
    struct recording *recording = context;
    int next_cpu = cpu;
    if (recording->tries == 0 && !begin_interval(recording))
        return RELAY_STOP;
    recording->tries++;
    enum reading_result result = read_once(recording, cpu, &next_cpu);
    if (result == READING_LOST || result == READING_FAILED)
        return break_off(recording, result == READING_LOST ? RECORDING_LOST : RECORDING_FAILED);
    bool is_refused = next_cpu != cpu && relay_is_refused(recording->relay, next_cpu);
    if (is_refused)
        session_avoid_cpu(recording->session, next_cpu);
    if (result == READING_MORE)
        note_progress(recording);
    if (result == READING_DONE || !may_try_again(recording, next_cpu != cpu))
        finish_interval(recording, result != READING_DONE, is_refused);
    else if (result == READING_LATER && !relay_sleep_until(recording->relay, monotonic_now_ns() + MOTION_NS))
        return RELAY_STOP;
    return next_cpu;
}

static void start_schedule(struct recording *recording)
{
    uint64_t now = monotonic_now_ns(), seed = now;
    if (recording->is_started) {
        recording->counters.missed += schedule_advance(&recording->schedule, now) + recording->is_broken_off;
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
    struct error *error = session_open(process, choose_threads(&recording->options), &session);
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
    recording->counters.is_untested = python_runtime(session_python(session))->is_untested;
    recording->session = hand_over(&session);
    recording->relay = hand_over(&relay);
    recording->tries = 0;
    recording->result = (struct interval_result){.failure = PYTHON_OK};
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
