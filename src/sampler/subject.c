/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include "base/cleanup.h"
#include "base/table.h"
#include "c_stacks.h"
#include "joiner.h"
#include "native_stacks.h"
#include "profile/profile.h"
#include "python/runtime.h"
#include "relay.h"
#include "schedule.h"
#include "session.h"

enum {
    LONG_STALL_NS = 1000000000,      /* what is told as one */
    TRY_LIMIT = 4,                   /* readings of one interval: the first, and at most three more */
    CPU_TIME_EACH_NS = 100000000,    /* between readings of a process's CPU time */
    NODE_IS_JOINED = UINT32_MAX - 1, /* in place of a stack's node: only the joiner will know it */
    HANDOVER_TIME_NS = 300000, /* after the first try, beyond which an interval is not handed over a second time */
};

static enum thread_choice choose_threads(const struct recording_options *options)
{
    if (options->only_gil)
        return THREADS_WITH_GIL;
    return options->with_idle ? THREADS_ALL : THREADS_ACTIVE;
}

static enum holding choose_holding(const struct recording_options *options)
{
    if (options->with_native)
        return HOLD_EACH;
    return options->is_blocking ? HOLD_RUNNING : HOLD_NONE;
}

static struct error *open_session(const struct process *process, const struct recording_options *options,
                                  struct session **ret)
{
    const struct session_options wanted = {
        .choice = choose_threads(options),
        .holding = choose_holding(options),
        .with_bare = options->with_all_native,
        .c_stack_limit = C_STACK_LIMIT,
    };
    return session_open(process, &wanted, ret);
}

/* Starts what makes stacks with C frames. */
static struct error *open_joiner(struct subject *subject, pthread_mutex_t *lock)
{
    struct native_stacks *stacks;
    const struct python_runtime *runtime = python_runtime(session_python(subject->session));
    const struct joiner_owner owner = {
        .lock = lock, .finder = &subject->finder, .log = subject->log, .counters = subject->counters};
    struct error *error =
        native_stacks_of_process(subject->process, &runtime->version, subject->options->with_all_native, &stacks);
    return error ? error : joiner_create(stacks, &owner, &subject->joiner);
}

struct error *subject_open(const struct process *process, const struct recording_options *options,
                           struct profile *profile, struct sample_log *log, pthread_mutex_t *lock,
                           struct counters *counters, struct subject **ret)
{
    cleanup_subject struct subject *subject = calloc(1, sizeof(*subject));
    if (!subject)
        return error_no_memory();
    subject->process = process;
    subject->log = log;
    subject->counters = counters;
    subject->options = options;
    subject->attach_ns = monotonic_now_ns();
    subject->next_cpu = -1;
    struct error *error = open_session(process, options, &subject->session);
    if (!error)
        error = stack_finder_init(&subject->finder, process, subject->session, options->with_arguments, profile);
    if (!error && options->with_native)
        error = open_joiner(subject, lock);
    if (error)
        return error;
    subject->reads = session_reads(subject->session);
    if (python_runtime(session_python(subject->session))->is_untested)
        counters->is_untested = true;
    *ret = hand_over(&subject);
    return NULL;
}

void subject_close(struct subject *subject)
{
    if (!subject)
        return;
    joiner_destroy(subject->joiner);
    subject->counters->missed += subject->passed + subject->owed;
    subject->counters->cpu_ns += subject_cpu_ns(subject);
    stack_finder_deinit(&subject->finder);
    free(subject->frames);
    session_close(subject->session);
    free(subject);
}

static uint64_t lateness(const struct schedule *schedule)
{
    uint64_t now = monotonic_now_ns();
    return now > schedule->deadline_ns ? now - schedule->deadline_ns : 0;
}

/* Notes that no interval from a number on was looked at, for a process. */
static void note_stall(struct counters *counters, const struct schedule *schedule, uint64_t from)
{
    struct stall stall = {
        .begin_ns = schedule_begin_of(schedule, from),
        .end_ns = schedule_begin_of(schedule, schedule->interval),
        .intervals = schedule->interval - from,
    };
    struct stall *last = counters->stall_count > 0 ? &counters->stalls[counters->stall_count - 1] : NULL;
    if (last && last->end_ns == stall.end_ns)
        last->intervals += stall.intervals;
    else if (counters->stall_count < STALL_LIMIT)
        counters->stalls[counters->stall_count++] = stall;
}

/* How many intervals passed without a look, unless they were so many that they only count as missed. */
static uint32_t take_passed(struct subject *subject, const struct schedule *schedule)
{
    uint64_t passed = schedule->interval - subject->unseen_from;
    if (passed <= STALL_NS / schedule->interval_ns)
        return (uint32_t)passed;
    subject->counters->missed += passed;
    if (passed >= LONG_STALL_NS / schedule->interval_ns)
        note_stall(subject->counters, schedule, subject->unseen_from);
    return 0;
}

static void note_lateness(struct counters *counters, const struct look *look)
{
    counters->late += look->passed;
    if (look->late_ns <= LATE_NS)
        return;
    counters->late++;
    counters->late_looks++;
    counters->late_ns += look->late_ns;
}

/* Reads now and then how much CPU time the process has had; at its end it is too late. */
static void watch_cpu_time(struct subject *subject)
{
    if (subject->deadline_ns < subject->cpu_time_ns + CPU_TIME_EACH_NS)
        return;
    subject->cpu_time_ns = subject->deadline_ns;
    if (process_read_cpu_time(subject->process, &subject->cpu_ns) && subject->first_cpu_ns == 0)
        subject->first_cpu_ns = subject->cpu_ns;
}

void subject_begin_interval(struct subject *subject, const struct schedule *schedule, uint64_t slept_ns)
{
    subject->is_pending = true;
    subject->tries = 0;
    subject->deadline_ns = schedule->deadline_ns;
    subject->time_ns = schedule_time(schedule);
    subject->interval_begin_ns = schedule_begin_of(schedule, schedule->interval);
    subject->result = (struct interval_result){.failure = PYTHON_OK};
    const struct look look = {
        .interval = schedule->interval,
        .deadline_ns = schedule->deadline_ns,
        .late_ns = lateness(schedule),
        .slept_ns = slept_ns,
        .passed = take_passed(subject, schedule),
    };
    subject->unseen_from = schedule->interval;
    watch_cpu_time(subject);
    note_lateness(subject->counters, &look);
    subject->passed = look.passed;
    session_begin_interval(subject->session, &look);
}

/* Makes room for the Python frames of a stack that is handed over. */
static bool reserve_frames(struct subject *subject, uint32_t count)
{
    if (count <= subject->frame_capacity)
        return true;
    struct joined_python *frames = realloc(subject->frames, count * sizeof(*frames));
    if (!frames)
        return false;
    subject->frames = frames;
    subject->frame_capacity = count;
    return true;
}

/* Makes subject->frames the Python frames of a thread. False without memory. */
static bool take_frames(struct subject *subject, const struct sampled_thread *thread)
{
    const struct python_frame *frames = python_frames(session_python(subject->session)) + thread->python->first_frame;
    uint32_t count = thread->python->frame_count;
    if (!reserve_frames(subject, count) || !stack_finder_find_frames(&subject->finder, subject->session, thread))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        subject->frames[i] = (struct joined_python){
            .merged = {.anchor = frames[i].anchor, .is_entry = frames[i].is_entry},
            .frame = subject->finder.path[count - 1 - i].frame,
        };
    }
    return true;
}

static uint64_t hash_frames(const struct joined_python *frames, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = hash_pair(hash_pair(hash, frames[i].frame), frames[i].merged.anchor);
    return hash;
}

/*
 * Hands the stack of a thread that was walked over to be joined with its C frames. False without memory. One that
 * sleeps may have the stack that it had, and that is told then. That its C stack is the same as before does not tell
 * that its Python frames are: where one Python function calls another, the C stack does not change.
 */
static bool hand_stack_over(struct subject *subject, struct sampled_thread *thread, const struct sample *sample)
{
    const struct c_stack *c_stack = session_c_stack(subject->session, thread);
    uint32_t count = thread->python->frame_count;
    if (!take_frames(subject, thread))
        return false;
    bool may_stay = c_stack && !thread->is_active;
    uint64_t hash = may_stay ? hash_frames(subject->frames, count) : 0;
    if (may_stay && c_stack->made == thread->joined_copy && hash == thread->joined_frames)
        return joiner_add_again(subject->joiner, sample, thread->serial);
    thread->joined_copy = may_stay ? c_stack->made : 0;
    thread->joined_frames = hash;
    return joiner_add(subject->joiner, sample, thread->serial, subject->frames, count, c_stack);
}

/* Counts the stack of a thread that was walked; *sample becomes complete, but for the node of one that is joined. */
static bool log_stack(struct subject *subject, struct sampled_thread *thread, struct sample *sample)
{
    sample->thread = stack_finder_find_thread(&subject->finder, subject->session, thread);
    sample->node = NODE_IS_JOINED;
    if (sample->thread == PROFILE_NONE)
        return false;
    if (subject->joiner)
        return hand_stack_over(subject, thread, sample);
    sample->node = stack_finder_find(&subject->finder, subject->session, thread);
    return sample->node != PROFILE_NONE && sample_log_add(subject->log, sample);
}

/* Counts a thread's last stack once more. */
static bool log_again(struct subject *subject, const struct sampled_thread *thread, struct sample *sample)
{
    sample->thread = stack_finder_find_thread(&subject->finder, subject->session, thread);
    if (sample->thread == PROFILE_NONE)
        return false;
    return subject->joiner ? joiner_add_again(subject->joiner, sample, thread->serial)
                           : sample_log_add(subject->log, sample);
}

static uint32_t states_of(const struct sampled_thread *thread)
{
    return (uint32_t)((thread->is_active ? SAMPLE_ACTIVE : 0) | (thread->python->holds_gil ? SAMPLE_HAS_GIL : 0) |
                      (thread->waits_for_gil ? SAMPLE_GIL_WAIT : 0));
}

/* Counts one thread that was walked. Returns false without memory. */
static bool count_thread(struct subject *subject, struct sampled_thread *thread)
{
    struct interval_result *result = &subject->result;
    if (thread->python->status != PYTHON_OK) {
        result->failure = thread->python->status;
        subject->counters->unreadable_by_cause[result->failure]++;
    }
    if (thread->python->frame_count == 0 && thread->address != 0)
        return true;
    struct sample sample = {
        .time_ns = subject->time_ns,
        .weight = thread->weight,
        .states = states_of(thread),
    };
    if (!log_stack(subject, thread, &sample))
        return false;
    if (thread->is_active) {
        thread->owed = 0;
        thread->last_node = sample.node;
        thread->last_states = sample.states;
    } else {
        thread->last_idle_node = sample.node;
        thread->last_idle_states = sample.states;
    }
    result->counted += thread->weight;
    return true;
}

static void note_first_sample(struct subject *subject)
{
    if (subject->counters->first_sample_ns == 0)
        subject->counters->first_sample_ns = monotonic_now_ns() - subject->attach_ns;
}

/* Notes who held and who wanted a GIL, in intervals that are counted now, of which the last one was looked at. */
static void note_gils(struct subject *subject, uint64_t intervals)
{
    uint32_t held, waiting;
    session_count_gils(subject->session, &held, &waiting);
    subject->counters->gil_held += held * intervals;
    subject->counters->gil_waits += waiting * intervals;
}

/* Enters intervals in which no stack was counted into the books, but those that wait for one. */
static void close_idle(struct subject *subject)
{
    uint32_t owed = session_owed_intervals(subject->session);
    subject->owed += owed;
    subject->counters->idle += subject->passed + 1 - owed;
    note_gils(subject, (uint64_t)subject->passed + 1 - owed);
}

/* Enters an interval into the books. is_torn: threads were left over. is_refused: on a CPU where we may not run. */
static void close_interval(struct subject *subject, bool is_torn, bool is_refused)
{
    struct counters *counters = subject->counters;
    const struct interval_result *result = &subject->result;
    subject->is_pending = false;
    subject->unseen_from++;
    counters->samples += result->counted + result->owed;
    uint64_t reads = session_reads(subject->session);
    counters->reads += reads - subject->reads;
    subject->reads = reads;
    bool is_lost = is_torn || result->failure != PYTHON_OK;
    if (result->counted > 0 || (result->owed > 0 && !is_lost)) {
        counters->ok += 1 + subject->passed + subject->owed;
        note_gils(subject, 1 + (uint64_t)subject->passed + subject->owed);
        counters->incomplete += is_torn;
        subject->owed = 0;
    } else if (is_lost) {
        bool is_unreadable = result->failure != PYTHON_OK;
        counters->unreadable += is_unreadable;
        counters->torn += !is_unreadable;
        counters->elsewhere += is_torn && is_refused;
        subject->owed += subject->passed;
    } else {
        close_idle(subject);
    }
    subject->passed = 0;
}

/* Counts the current interval for the stack with which a thread slept in it. False without memory. */
static bool count_asleep(struct subject *subject, struct sampled_thread *thread)
{
    struct sample sample = {
        .time_ns = subject->time_ns,
        .node = thread->last_idle_node,
        .weight = thread->owed_asleep,
        .states = thread->last_idle_states | SAMPLE_RECALLED,
    };
    thread->owed_asleep = 0;
    if (!subject->options->with_idle || subject->options->only_gil || thread->last_idle_node == 0)
        return true;
    subject->result.owed += sample.weight;
    return log_again(subject, thread, &sample);
}

/* Counts what is owed to stacks that were seen before, in the intervals before. False without memory. */
static bool count_owed(struct subject *subject)
{
    uint64_t begin_ns = subject->interval_begin_ns;
    bool has_memory = true;
    uint32_t count;
    struct sampled_thread *threads = session_threads(subject->session, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (threads[i].owed_asleep > 0)
            has_memory = count_asleep(subject, &threads[i]) && has_memory;
        uint32_t owed = threads[i].owed_before;
        threads[i].owed_before = 0;
        if (owed == 0)
            continue;
        if (threads[i].last_node == 0) {
            threads[i].owed += owed;
            continue;
        }
        struct sample sample = {
            .time_ns = begin_ns > 0 ? begin_ns - 1 : 0,
            .node = threads[i].last_node,
            .weight = owed,
            .states = threads[i].last_states | SAMPLE_RECALLED,
        };
        has_memory = log_again(subject, &threads[i], &sample) && has_memory;
        subject->result.owed += owed;
    }
    return has_memory;
}

void subject_skip_to(struct subject *subject, uint64_t interval)
{
    subject->is_pending = false;
    subject->unseen_from = interval;
}

void subject_rest(struct subject *subject)
{
    session_rest(subject->session);
}

void subject_call(struct subject *subject)
{
    if (subject->joiner)
        joiner_call(subject->joiner);
}

void subject_drain(struct subject *subject)
{
    if (subject->joiner)
        joiner_drain(subject->joiner);
}

bool subject_is_drained(struct subject *subject)
{
    return !subject->joiner || joiner_is_idle(subject->joiner);
}

uint64_t subject_cpu_ns(const struct subject *subject)
{
    return subject->cpu_ns - subject->first_cpu_ns;
}

void subject_forget_cpu_time(struct subject *subject)
{
    subject->first_cpu_ns = subject->cpu_ns;
}

void subject_forget_stacks(struct subject *subject)
{
    uint32_t count;
    struct sampled_thread *threads = session_threads(subject->session, &count);
    stack_finder_forget(&subject->finder);
    if (subject->joiner)
        joiner_forget(subject->joiner);
    for (uint32_t i = 0; i < count; i++)
        threads[i].last_node = threads[i].last_idle_node = 0;
    session_forget_handovers(subject->session);
}

/* How one reading came out. */
enum reading_result {
    READING_DONE,   /* nothing is left to be read */
    READING_MORE,   /* some threads are done, others are left */
    READING_AGAIN,  /* read again, perhaps elsewhere */
    READING_LATER,  /* read again when the program has run on for a moment */
    READING_LOST,   /* there is nothing to read any more */
    READING_FAILED, /* no memory of our own */
};

static bool is_last_try(const struct subject *subject)
{
    return subject->tries >= TRY_LIMIT;
}

/* What is broken when it is read may only be under construction: it is counted when it stays like that. */
static enum reading_result count_failure(struct subject *subject)
{
    if (!session_is_current(subject->session))
        return READING_LOST;
    if (!is_last_try(subject))
        return READING_LATER;
    subject->result.failure = session_failure(subject->session);
    subject->counters->unreadable_by_cause[subject->result.failure]++;
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
static bool finish_thread(struct subject *subject, struct sampled_thread *threads, uint32_t index)
{
    struct sampled_thread *thread = &threads[index];
    const struct sampled_thread *newer = find_newer_state(threads, index, choose_threads(subject->options));
    if (newer && !newer->is_done)
        return true;
    thread->is_done = true;
    thread->is_counted = !newer && thread->python->frame_count > 0;
    return newer || count_thread(subject, thread);
}

/* Walks what is readable in a round; false when that is nothing. */
static bool walk_round(struct subject *subject, int round)
{
    uint32_t count;
    bool is_any = false;
    struct sampled_thread *threads = session_threads(subject->session, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!threads[i].is_readable || !session_is_in_round(&threads[i], round))
            continue;
        session_walk(subject->session, &threads[i]);
        is_any = true;
    }
    return is_any;
}

/* Counts what has been proved of a round. result: how the reading came out before that. */
static enum reading_result count_round(struct subject *subject, int round, enum reading_result result)
{
    uint32_t count;
    struct sampled_thread *threads = session_threads(subject->session, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!threads[i].is_readable || !session_is_in_round(&threads[i], round))
            continue;
        if (threads[i].python->status != PYTHON_OK && !is_last_try(subject)) {
            result = result == READING_MORE ? READING_MORE : READING_LATER;
            continue;
        }
        if (!finish_thread(subject, threads, i))
            return READING_FAILED;
        if (threads[i].is_done)
            result = READING_MORE;
    }
    return result;
}

/* Walks what is readable, and counts what has been proved of it. */
static enum reading_result count_readable(struct subject *subject)
{
    enum reading_result result = READING_AGAIN;
    for (int round = 0; round < SESSION_ROUNDS && result != READING_FAILED; round++) {
        if (!walk_round(subject, round) && round > 0)
            continue;
        session_end_sample(subject->session);
        result = count_round(subject, round, result);
    }
    return result;
}

static enum reading_result finish_reading(struct subject *subject, int *next_cpu)
{
    uint32_t count;
    session_threads(subject->session, &count);
    if (count == 0 && !session_is_current(subject->session))
        return READING_LOST;
    enum reading_result result = count_readable(subject);
    if (result == READING_FAILED)
        return result;
    note_first_sample(subject);
    return session_is_pending(subject->session, next_cpu) ? result : READING_DONE;
}

static enum reading_result read_once(struct subject *subject, int cpu, int *next_cpu)
{
    enum sample_status status = session_begin_sample(subject->session, cpu, next_cpu);
    /* Before the others, so that the samples of a thread are in the order of time. */
    if (!count_owed(subject))
        return READING_FAILED;
    switch (status) {
    case SAMPLE_PROVED:
        return finish_reading(subject, next_cpu);
    case SAMPLE_ELSEWHERE:
    case SAMPLE_TORN:
        return READING_AGAIN;
    case SAMPLE_UNREADABLE:
        return count_failure(subject);
    case SAMPLE_GONE:
        break;
    }
    return READING_LOST;
}

/* Whether another reading for the current interval is worth it. What takes long is going from CPU to CPU. */
static bool may_try_again(const struct subject *subject, bool is_elsewhere)
{
    if (is_last_try(subject))
        return false;
    return !is_elsewhere || subject->tries <= 1 || monotonic_now_ns() < subject->begin_ns + HANDOVER_TIME_NS;
}

/* Gives the threads that are left as many tries again, unless threads come faster than they are read. */
static void note_progress(struct subject *subject)
{
    uint64_t now = monotonic_now_ns();
    if (now > subject->deadline_ns + subject->options->interval_ns)
        return;
    subject->tries = 1;
    subject->begin_ns = now;
}

void subject_leave_interval(struct subject *subject)
{
    if (subject->is_pending && subject->result.counted + subject->result.owed > 0)
        close_interval(subject, true, false);
    subject->is_pending = false;
}

static enum subject_status lose(struct subject *subject)
{
    subject->is_lost = true;
    subject_leave_interval(subject);
    return SUBJECT_LOST;
}

/* Says where the next reading has to be. Returns whether that is a CPU where we may not run. */
static bool plan_next(struct subject *subject, int cpu, int wanted_cpu, struct relay *relay)
{
    bool is_refused = wanted_cpu != cpu && !relay_can_reach(relay, wanted_cpu);
    if (is_refused)
        session_avoid_cpu(subject->session, wanted_cpu);
    subject->next_cpu = is_refused ? cpu : wanted_cpu;
    if (session_is_kept_off(subject->session, subject->next_cpu))
        subject->next_cpu = relay_other_cpu(relay, subject->next_cpu);
    return is_refused;
}

/* Threads that could not even be listed are left out of each interval. */
static void note_unlisted(struct subject *subject)
{
    enum python_status listed = python_list_status(session_python(subject->session));
    if (listed != PYTHON_OK)
        subject->counters->unreadable_by_cause[listed]++;
}

/* Reads and counts threads without a Python state, wherever they are. False without memory. */
static bool count_bare_threads(struct subject *subject)
{
    struct sampled_thread *threads;
    uint32_t count;
    bool has_memory = session_bare_threads(subject->session, &threads, &count);
    for (uint32_t i = 0; has_memory && i < count; i++) {
        bool is_wanted = (threads[i].is_active || subject->options->with_idle) && !subject->options->only_gil;
        if (!is_wanted)
            continue;
        session_read_bare(subject->session, &threads[i]);
        if (!session_c_stack(subject->session, &threads[i]))
            continue;
        threads[i].weight = 1 + subject->passed;
        has_memory = count_thread(subject, &threads[i]);
    }
    return has_memory;
}

enum subject_status subject_read(struct subject *subject, int cpu, struct relay *relay)
{
    int wanted_cpu = cpu;
    if (subject->tries++ == 0)
        subject->begin_ns = monotonic_now_ns();
    enum reading_result result = read_once(subject, cpu, &wanted_cpu);
    if (!session_let_go(subject->session) && !relay_renew(relay))
        return SUBJECT_FAILED;
    if (result == READING_FAILED)
        return SUBJECT_FAILED;
    if (result == READING_LOST)
        return lose(subject);
    bool is_refused = plan_next(subject, cpu, wanted_cpu, relay);
    if (result == READING_MORE)
        note_progress(subject);
    if (result == READING_DONE || !may_try_again(subject, wanted_cpu != cpu)) {
        if (!count_bare_threads(subject) || (!session_let_go(subject->session) && !relay_renew(relay)))
            return SUBJECT_FAILED;
        note_unlisted(subject);
        close_interval(subject, result != READING_DONE, is_refused);
        int next_cpu = session_next_cpu(subject->session);
        if (next_cpu >= 0)
            plan_next(subject, cpu, next_cpu, relay);
        return SUBJECT_DONE;
    }
    return result == READING_LATER ? SUBJECT_RESTING : SUBJECT_PENDING;
}
