/* SPDX-License-Identifier: MIT */
#include "states.h"

#include "schedule.h"
#include "target/process.h"

enum {
    FEW_THREADS = 2,         /* to look at so many takes no longer than to find out whether one has to */
    FOLLOWED_SHARE = 64,     /* who had more than such a part of a CPU since the last look, or runs, is followed */
    FOLLOWED_NS = 250000000, /* for so long */
    LOOKS_TO_NOTE = 4,       /* at which a thread was active, before its departures are noted */
    WAKING_NS = 12000,       /* by how much one of our looks can be longer or shorter than the one before */
    AWAKE_NS = 40000,        /* what a thread waits for while we wake up, look and go to sleep, besides our looking */
    RISE_NS = 20000,         /* between its being taken off its CPU by us and our asking for its times */
    RUN_WAIT_NS = 10000,     /* what a thread waits for each time that it gets a CPU, though nobody else wants it */
    /* Between readings of the CPU time of all threads, which takes as many looks: for each thread, and at most. */
    TIME_REST_NS = 240000,
    TIME_REST_LIMIT_NS = 30000000,
};

void states_begin_interval(struct states *states, struct thread_list *threads, uint64_t slept_ns)
{
    states->slept_ns = slept_ns;
    states->is_swept = states->has_begun = false;
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        thread->has_state = thread->has_run = thread->is_open = false;
        thread->turns = 1;
    }
}

/* Reads the times of a thread, and takes what it ran from what is to be explained. */
static struct thread_growth explain(struct states *states, struct sampled_thread *thread)
{
    struct task_times times;
    struct thread_growth growth = {
        .has_run = true,
        .slept_ns = states->slept_ns + thread->over_slept_ns,
        .looks = 1 + thread->over_looks,
    };
    if (thread->task.tid == 0 || !task_read_times(&thread->task, &times))
        return growth;
    uint64_t now_ns = monotonic_now_ns();
    if (thread->run_ns != 0) {
        states->unexplained_ns -= times.run_ns - thread->run_ns;
        growth.run_ns = times.run_ns - thread->run_ns;
        growth.wait_ns = times.wait_ns - thread->wait_ns;
        growth.runs = times.runs - thread->runs;
        growth.gap_ns = now_ns - thread->times_ns;
        growth.has_run = times.run_ns != thread->run_ns;
    }
    thread->run_ns = times.run_ns;
    thread->wait_ns = times.wait_ns;
    thread->runs = times.runs;
    thread->times_ns = now_ns;
    thread->over_slept_ns = thread->over_looks = 0;
    return growth;
}

/* What became of a thread that is told to have been busy all the time. What it ran is explained later. */
static struct thread_growth pass_over(const struct states *states, struct sampled_thread *thread)
{
    thread->over_slept_ns += states->slept_ns;
    thread->over_looks++;
    return (struct thread_growth){.has_run = true};
}

/* What a thread can have waited for while we woke up, looked and went to sleep, if it was on our CPU. */
static uint64_t wait_for_us(const struct thread_growth *growth)
{
    uint64_t awake_ns = growth->gap_ns > growth->slept_ns ? growth->gap_ns - growth->slept_ns : 0;
    return awake_ns + (uint64_t)growth->looks * AWAKE_NS;
}

/*
 * Whether a thread was running or ready to from one look, at which its times were read, to the next. What it waited for
 * before it got a CPU counts from when it began to: so long as it was for us, that was at our last look, and it waits
 * as long now. Who has waited for longer may have begun to before that.
 */
static bool was_busy(const struct states *states, const struct sampled_thread *thread,
                     const struct thread_growth *growth)
{
    return thread->is_active && states->slept_ns > 0 && growth->looks == 1 && growth->gap_ns > growth->slept_ns &&
           growth->wait_ns <= wait_for_us(growth) && growth->run_ns + growth->wait_ns + WAKING_NS >= growth->gap_ns;
}

/* Who has had a share of a CPU that matters is followed for a while. */
static void follow(struct sampled_thread *thread, const struct thread_growth *growth)
{
    if (thread->is_active || growth->run_ns > growth->gap_ns / FOLLOWED_SHARE)
        thread->followed_until_ns = monotonic_now_ns() + FOLLOWED_NS;
}

/* Asks whether a thread runs. Whether the futex at which it sleeps is a GIL's, note_gil_wait() finds out. */
static enum task_activity ask_activity(struct sampled_thread *thread)
{
    enum task_activity activity = task_read_activity(&thread->task, &thread->futex);
    thread->is_at_gil = thread->futex != 0;
    return activity;
}

/* Asks whether a thread runs, and for the rest of its state only at the first time, or when that leaves it open. */
static struct task_state ask(struct sampled_thread *thread)
{
    struct task_state state = {.is_stopped = thread->is_stopped};
    enum task_activity activity = ask_activity(thread);
    if (activity == TASK_UNKNOWN || !thread->was_seen)
        thread->has_ended = !task_read_state(&thread->task, &state);
    else
        state.is_active = activity == TASK_RUNS;
    return state;
}

/* is_busy: it is told to have been running or ready to since the last look. */
static void look_at(struct states *states, struct sampled_thread *thread, const struct thread_growth *growth,
                    bool is_busy)
{
    struct task_state state = {.is_active = true};
    bool was_active = thread->is_active;
    thread->futex = 0;
    thread->is_at_gil = false;
    if (thread->task.tid == 0)
        state.is_active = thread->python->holds_gil;
    else if (!is_busy && !was_busy(states, thread, growth))
        state = ask(thread);
    state.is_active &= !thread->has_ended;
    thread->has_run = was_active || state.is_active || growth->has_run;
    thread->has_state = thread->was_seen = true;
    thread->growth = *growth;
    thread->is_active = state.is_active;
    thread->is_stopped = state.is_stopped;
    follow(thread, growth);
}

/*
 * Whether a thread that runs slept at the deadline: it has slept since the look before, and has run for less time than
 * passed since the deadline. Nobody knows of one that another one has kept waiting for a CPU.
 */
static bool has_just_risen(const struct sampled_thread *thread, const struct thread_growth *since, uint64_t deadline_ns)
{
    const struct thread_growth *before = &thread->growth;
    uint64_t busy_ns = before->run_ns + since->run_ns, wait_ns = before->wait_ns + since->wait_ns;
    uint64_t own_wait_ns = wait_for_us(before) + (before->runs + since->runs) * RUN_WAIT_NS;
    bool has_slept = busy_ns + wait_ns + AWAKE_NS < before->gap_ns + since->gap_ns;
    return before->gap_ns > 0 && has_slept && wait_ns <= own_wait_ns && since->run_ns > 0 &&
           thread->times_ns > deadline_ns && since->run_ns + since->wait_ns + RISE_NS < thread->times_ns - deadline_ns;
}

static void revise_active(struct states *states, struct sampled_thread *thread, uint64_t deadline_ns)
{
    const struct thread_growth since = explain(states, thread);
    if (ask_activity(thread) == TASK_SLEEPS)
        thread->fell_asleep = true;
    else
        thread->was_asleep = has_just_risen(thread, &since, deadline_ns);
}

/*
 * One who slept, and has run since, has another stack than that with which he slept; but for one who wants a GIL, who
 * wakes up now and then to say so.
 */
static void revise_asleep(struct states *states, struct sampled_thread *thread)
{
    bool has_run = explain(states, thread).has_run;
    bool waits_on = has_run && thread->waits_for_gil && ask_activity(thread) == TASK_SLEEPS;
    thread->was_asleep = has_run && !waits_on;
}

void states_revise(struct states *states, struct thread_list *threads, uint64_t deadline_ns)
{
    uint64_t now_ns = monotonic_now_ns();
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        if (!thread->has_state || thread->is_done || thread->has_ended || thread->task.tid == 0)
            continue;
        if (thread->is_active)
            revise_active(states, thread, deadline_ns);
        else if (states->with_idle && now_ns < thread->followed_until_ns)
            revise_asleep(states, thread);
    }
}

static bool is_last_holder(const struct python *python, const struct sampled_thread *thread)
{
    uint32_t count;
    const struct python_gil *gils = python_gils(python, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (gils[i].last_holder == thread->address)
            return true;
    }
    return count == 0 && thread->python->holds_gil;
}

/* The GIL that a thread needs; NULL when there is none. */
static const struct python_gil *gil_of(const struct python *python, const struct sampled_thread *thread)
{
    uint32_t count;
    const struct python_gil *gils = python_gils(python, &count);
    return thread->python->gil < count ? &gils[thread->python->gil] : NULL;
}

/* Whether all who had the GIL since a thread was seen to wait for it are others, and one of them has it. */
static bool waits_on(const struct python *python, const struct sampled_thread *thread)
{
    const struct python_gil *gil = gil_of(python, thread);
    return gil && gil->is_locked && gil->last_holder != thread->address && gil->switches - thread->gil_switches <= 1;
}

static bool is_asked_for(const struct python *python, const struct sampled_thread *thread, uint64_t now_ns)
{
    return !thread->was_seen || thread->is_active || thread->is_open || now_ns < thread->followed_until_ns ||
           is_last_holder(python, thread);
}

/* How many threads have to be looked at now if each is to have its turn in time. */
static uint32_t sweep_len(const struct states *states, uint32_t thread_count, uint64_t now_ns)
{
    uint64_t since_ns = now_ns - states->swept_ns;
    uint32_t least = (thread_count + STATES_TURN_LIMIT - 1) / STATES_TURN_LIMIT;
    if (since_ns >= STATES_SWEEP_NS)
        return thread_count;
    uint32_t due = (uint32_t)(thread_count * since_ns / STATES_SWEEP_NS) + 1;
    return due > least ? due : least;
}

/* Looks at one of those who are not followed; he has had one turn of so many. */
static void take_turn(struct states *states, struct sampled_thread *thread, uint32_t turns)
{
    const struct thread_growth growth = explain(states, thread);
    if (!growth.has_run)
        return;
    look_at(states, thread, &growth, false);
    if (thread->is_active && !states->with_idle)
        thread->turns = turns;
    /* When he ran since his last turn is not known. */
    thread->has_run = thread->is_active;
}

/* Looks at the next threads of those that slept. */
static void sweep(struct states *states, struct thread_list *threads)
{
    uint64_t now_ns = monotonic_now_ns();
    uint32_t count = sweep_len(states, threads->count, now_ns);
    states->swept_ns = now_ns;
    /* What a whole number of turns leaves over is for the next sweep. */
    uint32_t turns = (threads->count + states->rest) / count;
    states->rest = (threads->count + states->rest) % count;
    for (uint32_t i = 0; i < count; i++) {
        states->next = states->next + 1 < threads->count ? states->next + 1 : 0;
        struct sampled_thread *thread = &threads->threads[states->next];
        if (!thread->has_state && !thread->is_open)
            take_turn(states, thread, turns);
    }
    states->suspect_count -= count < states->suspect_count ? count : states->suspect_count;
    /* When nobody is left, it was one that has ended. */
    if (states->suspect_count == 0)
        states->unexplained_ns = 0;
}

/* Whether the process's CPU time is too young to be read again. */
static bool is_resting(struct states *states, uint32_t thread_count)
{
    uint64_t now_ns = monotonic_now_ns(), rest_ns = (uint64_t)thread_count * TIME_REST_NS;
    if (rest_ns > TIME_REST_LIMIT_NS)
        rest_ns = TIME_REST_LIMIT_NS;
    if (states->has_time && states->suspect_count == 0 && now_ns - states->time_ns < rest_ns)
        return true;
    states->time_ns = now_ns;
    return false;
}

/*
 * Those who are left open run for a moment now and then, to say that they still want the GIL. Where that would have
 * others looked at, of whom there are more, it is to be explained first.
 */
static void explain_open(struct states *states, struct thread_list *threads)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < threads->count; i++)
        open += threads->threads[i].is_open;
    for (uint32_t i = 0; 2 * open < threads->count && i < threads->count; i++) {
        if (threads->threads[i].is_open)
            explain(states, &threads->threads[i]);
    }
}

/* Looks at sleeping threads if any of them can have run. */
static void look_for_others(struct states *states, struct thread_list *threads)
{
    uint64_t process_ns;
    bool has_time = process_read_cpu_time(states->process, &process_ns);
    if (has_time && states->has_time)
        states->unexplained_ns += process_ns - states->process_ns;
    states->process_ns = process_ns;
    states->has_time = has_time;
    if (has_time && states->unexplained_ns != 0 && states->suspect_count == 0)
        explain_open(states, threads);
    if (has_time && states->unexplained_ns == 0)
        states->suspect_count = 0;
    else if (states->suspect_count == 0)
        states->suspect_count = threads->count;
    if (states->suspect_count > 0)
        sweep(states, threads);
}

/* Whether a thread waits for the GIL. Who has slept since he was looked at is where he was, unless he was given it. */
static void note_gil_wait(const struct python *python, struct sampled_thread *thread)
{
    const struct python_gil *gil = gil_of(python, thread);
    thread->is_at_gil = !gil || python_gil_is_awaited(gil, thread->futex);
    thread->waits_for_gil = gil && thread->is_at_gil && !thread->is_active && !thread->python->holds_gil;
}

/* Has the departures of a thread that is always active noted; of one more in an interval, as that takes a while. */
static void note_departures(struct states *states, struct sampled_thread *thread)
{
    if (!thread->is_active)
        thread->active_looks = 0;
    else if (thread->active_looks < LOOKS_TO_NOTE)
        thread->active_looks++;
    if (!states->notes_departures || thread->active_looks < LOOKS_TO_NOTE)
        return;
    thread->is_noted = true;
    states->has_begun |= task_note_departures(&thread->task, !states->has_begun);
}

/* Those of one who has been asleep for a while are no longer. */
static void rest_departures(const struct states *states, struct sampled_thread *thread, uint64_t now_ns)
{
    if (!thread->is_noted || !states->notes_departures || thread->is_active || now_ns < thread->followed_until_ns)
        return;
    thread->is_noted = false;
    task_rest_departures(&thread->task);
}

/* Looks at one of those whose states have to be known. What is known of the GIL was read before. */
static void look_anew(struct states *states, struct sampled_thread *thread, const struct python *python)
{
    const struct python_gil *gil = gil_of(python, thread);
    bool is_told = thread->is_active && thread->is_noted && task_is_told_busy(&thread->task);
    const struct thread_growth growth =
        is_told && !states->reads_time ? pass_over(states, thread) : explain(states, thread);
    look_at(states, thread, &growth, is_told);
    note_departures(states, thread);
    thread->gil_switches = gil ? gil->switches : 0;
    thread->asked_ns = thread->times_ns;
}

/* Makes known the states of all but those that are left open. */
static void read_others(struct states *states, struct thread_list *threads, const struct python *python, bool has_copy)
{
    bool are_few = threads->count <= FEW_THREADS;
    uint64_t now_ns = monotonic_now_ns();
    if (!states->is_swept)
        states->reads_time = !are_few && !is_resting(states, threads->count);
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        thread->is_open |= !has_copy && !states->asks_beforehand && !thread->has_state && thread->waits_for_gil &&
                           now_ns < thread->asked_ns + STATES_SWEEP_NS;
        rest_departures(states, thread, now_ns);
        bool is_left = thread->has_state || (thread->is_open && !has_copy);
        if (!is_left && (are_few || is_asked_for(python, thread, now_ns)))
            look_anew(states, thread, python);
    }
    if (states->reads_time && !states->is_swept)
        look_for_others(states, threads);
    states->is_swept = true;
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        if (thread->is_open && !has_copy)
            continue;
        thread->has_state = true;
        thread->waits_for_gil = false;
        if (thread->is_at_gil)
            note_gil_wait(python, thread);
    }
}

void states_read(struct states *states, struct thread_list *threads, const struct python *python)
{
    read_others(states, threads, python, false);
}

void states_settle(struct states *states, struct thread_list *threads, const struct python *python)
{
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        if (thread->has_state || !thread->is_open || !waits_on(python, thread))
            continue;
        thread->has_state = true;
        thread->gil_switches = gil_of(python, thread)->switches;
    }
    read_others(states, threads, python, true);
}
