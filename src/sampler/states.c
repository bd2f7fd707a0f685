/* SPDX-License-Identifier: MIT */
#include "states.h"

#include "schedule.h"
#include "target/process.h"

enum { FEW_THREADS = 4 }; /* to look at so many takes no longer than to find out whether one has to */

void states_begin_interval(struct states *states, struct thread_list *threads)
{
    states->is_swept = false;
    for (uint32_t i = 0; i < threads->count; i++)
        threads->threads[i].has_state = threads->threads[i].has_run = false;
}

/*
 * Reads the CPU time that a thread has had, and takes it from what is to be explained. Returns whether it may have run.
 */
static bool explain(struct states *states, struct sampled_thread *thread)
{
    struct task_times times;
    uint64_t run_ns = thread->run_ns;
    if (thread->task.tid == 0 || !task_read_times(&thread->task, &times))
        return true;
    thread->run_ns = times.run_ns;
    if (run_ns != 0)
        states->unexplained_ns -= times.run_ns - run_ns;
    return times.run_ns != run_ns;
}

static void look_at(struct states *states, struct sampled_thread *thread, bool is_explained)
{
    struct task_state state = {0};
    bool was_active = thread->is_active;
    if (thread->task.tid == 0)
        state.is_active = thread->python->holds_gil;
    else
        thread->has_ended = !task_read_state(&thread->task, &state);
    /* Who ran before and who runs now has run; otherwise his CPU time tells. */
    thread->has_run = is_explained ? explain(states, thread) : true;
    thread->has_run |= was_active || state.is_active;
    thread->has_state = thread->was_seen = true;
    thread->is_active = state.is_active;
    thread->is_stopped = state.is_stopped;
}

static bool is_last_holder(const struct python *python, const struct sampled_thread *thread)
{
    uint32_t count;
    const struct python_gil *gils = python_gils(python, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (gils[i].last_holder == thread->address)
            return true;
    }
    return thread->python->holds_gil;
}

static bool is_asked_for(const struct python *python, const struct sampled_thread *thread)
{
    return !thread->was_seen || thread->is_active || is_last_holder(python, thread);
}

/* How many threads have to be looked at now if each is to have its turn in time. */
static uint32_t sweep_len(const struct states *states, uint32_t thread_count, uint64_t now_ns)
{
    uint64_t since_ns = now_ns - states->swept_ns;
    return since_ns >= STATES_SWEEP_NS ? thread_count : (uint32_t)(thread_count * since_ns / STATES_SWEEP_NS) + 1;
}

/* Looks at the next threads of those that slept. */
static void sweep(struct states *states, struct thread_list *threads)
{
    uint64_t now_ns = monotonic_now_ns();
    uint32_t count = sweep_len(states, threads->count, now_ns);
    states->swept_ns = now_ns;
    for (uint32_t i = 0; i < count; i++) {
        states->next = states->next + 1 < threads->count ? states->next + 1 : 0;
        struct sampled_thread *thread = &threads->threads[states->next];
        if (!thread->has_state && explain(states, thread))
            look_at(states, thread, false);
    }
    states->suspect_count -= count < states->suspect_count ? count : states->suspect_count;
    /* When nobody is left, it was one that has ended. */
    if (states->suspect_count == 0)
        states->unexplained_ns = 0;
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
    if (has_time && states->unexplained_ns == 0)
        states->suspect_count = 0;
    else if (states->suspect_count == 0)
        states->suspect_count = threads->count;
    if (states->suspect_count > 0)
        sweep(states, threads);
}

void states_read(struct states *states, struct thread_list *threads, const struct python *python)
{
    bool are_few = threads->count <= FEW_THREADS;
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        if (thread->has_state || !(are_few || is_asked_for(python, thread)))
            continue;
        look_at(states, thread, true);
    }
    if (!are_few && !states->is_swept)
        look_for_others(states, threads);
    states->is_swept = true;
    for (uint32_t i = 0; i < threads->count; i++)
        threads->threads[i].has_state = true;
}
