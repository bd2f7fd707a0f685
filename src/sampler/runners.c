/* SPDX-License-Identifier: MIT */
#include "runners.h"

#include "c_stacks.h"
#include "schedule.h"

#include <sched.h>
#include <string.h>

enum { POLICY_EACH_NS = 100000000 }; /* after so long, a running thread is asked for its policy again */

bool is_thread_pending(const struct sampled_thread *thread, enum thread_choice choice)
{
    if (thread->is_done)
        return false;
    switch (choice) {
    case THREADS_WITH_GIL:
        return thread->python->holds_gil;
    case THREADS_ACTIVE:
        return thread->is_active;
    case THREADS_ALL:
        break;
    }
    return true;
}

static uint32_t add_guard(struct runners *runners, remote_addr address, uint32_t len)
{
    runners->guards[runners->guard_count] = (struct snapshot_guard){address, len};
    return runners->guard_count++;
}

void runners_init(struct runners *runners, const struct thread_area *area, enum thread_choice choice,
                  enum holding holding, bool of_one_moment, struct c_stacks *c_stacks)
{
    *runners = (struct runners){
        .area = area,
        .choice = choice,
        .holding = holding,
        .with_gils = holding != HOLD_EACH || of_one_moment,
        .c_stacks = c_stacks,
    };
}

void runners_clear(struct runners *runners)
{
    runners->count = runners->guard_count = 0;
}

/*
 * Reads where a thread last ran from its own memory, which costs half of asking the kernel for all of its state. One
 * that was only kept off its CPU is likely to be there still, and the copy will tell.
 */
static bool read_cpu_id(const struct runners *runners, const struct sampled_thread *thread, int32_t *ret)
{
    const struct thread_area *area = runners->area;
    int32_t cpu;
    if (thread->was_kept_off) {
        *ret = thread->last_cpu;
        return true;
    }
    if (!area->has_cpu_id || memory_read(runners->c_stacks->memory, thread->id + (uint64_t)area->cpu_id_offset, &cpu,
                                         sizeof(cpu)) != MEMORY_OK)
        return false;
    /* A thread that never registered, or not any more, has a negative number there. */
    if (cpu >= 0)
        *ret = cpu;
    return cpu >= 0;
}

/*
 * Notes that a thread is to be stopped which was just seen to run, if that is enough to know. The kernel's word for its
 * policy may be some samples old.
 */
static bool note_running(const struct runners *runners, const struct sampled_thread *thread, struct runner *runner)
{
    if (runners->holding != HOLD_EACH || !thread->is_active || thread->has_ended ||
        monotonic_now_ns() >= thread->policy_ns + POLICY_EACH_NS || !read_cpu_id(runners, thread, &runner->cpu))
        return false;
    runner->is_to_stop = runner->knows_cpu = true;
    runner->is_urgent = thread->is_urgent;
    return true;
}

/*
 * Notes whether a thread sleeps, and how often it had run before. Not worth it where sleeping threads neither count nor
 * have to be told from those that are to be stopped.
 */
static void note_sleep(const struct runners *runners, struct sampled_thread *thread, struct runner *runner)
{
    struct task_state state;
    struct task_times times = {0};
    if ((runners->choice != THREADS_ALL && runners->holding == HOLD_NONE) || thread->task.tid == 0 ||
        note_running(runners, thread, runner))
        return;
    bool has_times = task_read_times(&thread->task, &times);
    bool lives = task_read_state(&thread->task, &state);
    runner->runs = times.runs;
    runner->is_asleep = has_times && lives && !state.is_active;
    runner->is_to_stop = lives && !state.is_deaf &&
                         (runners->holding == HOLD_EACH || (runners->holding == HOLD_RUNNING && state.is_active));
    runner->is_urgent = runner->is_to_stop && state.is_active && state.is_urgent;
    thread->is_urgent = lives && state.is_urgent;
    thread->policy_ns = monotonic_now_ns();
    if (runners->holding != HOLD_EACH || !lives)
        return;
    runner->knows_cpu = read_cpu_id(runners, thread, &runner->cpu);
    if (!runner->knows_cpu)
        runner->cpu = state.cpu;
}

/* thread: NULL when there is none that could run. */
static void add_runner(struct runners *runners, const struct python_gil *gil, struct sampled_thread *thread)
{
    const struct thread_area *area = runners->area;
    if (runners->count >= RUNNER_LIMIT)
        return;
    struct runner *runner = &runners->runners[runners->count++];
    *runner = (struct runner){.gil_guard = RUNNER_NONE, .cpu_guard = RUNNER_NONE, .cpu = -1, .stop = RUNNER_NONE};
    if (gil) {
        runner->gil = gil->address;
        runner->gil_guard = add_guard(runners, gil->address, gil->len);
    }
    if (thread) {
        runner->thread = thread->address;
        runner->serial = thread->serial;
        runner->has_ended = thread->has_ended;
        runner->is_for_anybody = thread->python->is_for_anybody;
        note_sleep(runners, thread, runner);
    }
    if (thread && !thread->has_ended && area->has_cpu_id)
        runner->cpu_guard = add_guard(runners, thread->id + (uint64_t)area->cpu_id_offset, sizeof(int32_t));
}

/* The number of the GIL that stands for a thread; PYTHON_NO_GIL when the thread is its own runner. */
static uint32_t gil_of(const struct runners *runners, const struct sampled_thread *thread)
{
    return runners->holding == HOLD_EACH ? PYTHON_NO_GIL : thread->python->gil;
}

void runners_plan(struct runners *runners, const struct thread_list *threads, const struct python *python)
{
    uint32_t gil_count;
    const struct python_gil *gils = python_gils(python, &gil_count);
    runners_clear(runners);
    for (uint32_t i = 0; i < gil_count && runners->with_gils; i++)
        add_runner(runners, &gils[i], thread_list_find(threads, gils[i].last_holder));
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        if (is_thread_pending(thread, runners->choice) && gil_of(runners, thread) == PYTHON_NO_GIL)
            add_runner(runners, NULL, thread);
    }
}

/* Returns the number of a thread's stop, which it has already when it is the last holder of two GILs; RUNNER_NONE. */
static uint32_t begin_stop(struct runners *runners, const struct task *task)
{
    for (uint32_t i = 0; i < runners->stop_count; i++) {
        if (runners->stops[i].tid == task->system_tid)
            return i;
    }
    return stop_begin(&runners->stops[runners->stop_count], task) ? runners->stop_count++ : RUNNER_NONE;
}

static bool read_registers(const struct runners *runners, struct runner *runner, const struct sampled_thread *thread,
                           struct registers *ret)
{
    if (runner->is_kept_off) {
        runner->has_left = !task_read_departure(&thread->task, runners->c_stacks->memory, ret);
        return !runner->has_left;
    }
    return runner->stop != RUNNER_NONE && stop_read_registers(&runners->stops[runner->stop], ret);
}

void runners_order_c_stacks(struct runners *runners, const struct thread_list *threads)
{
    struct registers registers;
    for (uint32_t i = 0; i < runners->count; i++) {
        struct runner *runner = &runners->runners[i];
        const struct sampled_thread *thread = thread_list_find(threads, runner->thread);
        /* A thread that is known to several interpreters has one C stack, of which each of its states gets a copy. */
        if (thread && runner->gil == 0 && read_registers(runners, runner, thread, &registers))
            c_stacks_order(runners->c_stacks, &registers, thread);
    }
}

/* Takes threads from those to be stopped that sleep on, as their C stacks are known. */
static void spare_sleepers(struct runners *runners, const struct thread_list *threads)
{
    c_stacks_begin_sample(runners->c_stacks);
    for (uint32_t i = 0; i < runners->count; i++) {
        struct runner *runner = &runners->runners[i];
        const struct sampled_thread *thread = runner->is_asleep ? thread_list_find(threads, runner->thread) : NULL;
        if (thread && c_stacks_keep(runners->c_stacks, thread))
            runner->is_to_stop = false;
    }
}

void runners_spare_kept_off(struct runners *runners, const struct thread_list *threads, int own_cpu)
{
    for (uint32_t i = 0; i < runners->count; i++) {
        struct runner *runner = &runners->runners[i];
        bool is_candidate = runner->is_to_stop && !runner->is_asleep && !runner->is_urgent && runner->knows_cpu &&
                            runner->cpu == own_cpu;
        struct sampled_thread *thread = is_candidate ? thread_list_find(threads, runner->thread) : NULL;
        struct registers registers;
        if (thread)
            thread->is_noted = true;
        runner->is_kept_off = thread && task_has_departure(&thread->task) &&
                              task_read_departure(&thread->task, runners->c_stacks->memory, &registers);
        runner->is_to_stop &= !runner->is_kept_off;
    }
}

/* Stops those that sleep, or those that do not. All are asked first, so that they stop at the same time. */
static void stop_some(struct runners *runners, const struct thread_list *threads, bool are_asleep)
{
    uint32_t first = runners->stop_count;
    for (uint32_t i = 0; i < runners->count; i++) {
        struct runner *runner = &runners->runners[i];
        bool is_meant = runner->is_to_stop && runner->is_asleep == are_asleep;
        const struct sampled_thread *thread = is_meant ? thread_list_find(threads, runner->thread) : NULL;
        if (thread)
            runner->stop = begin_stop(runners, &thread->task);
    }
    stop_wait(runners->stops + first, runners->stop_count - first);
}

void runners_stop(struct runners *runners, const struct thread_list *threads)
{
    if (runners->holding == HOLD_EACH)
        spare_sleepers(runners, threads);
    /* One that sleeps has to wake up for that, and may be slow to: nobody who could work is held meanwhile. */
    stop_some(runners, threads, true);
    stop_some(runners, threads, false);
}

bool runners_let_go(struct runners *runners)
{
    bool is_free = true;
    for (uint32_t i = 0; i < runners->stop_count; i++)
        is_free &= stop_end(&runners->stops[i]);
    runners->stop_count = 0;
    return is_free;
}

/* The kernel's word for where a thread is; without rseq there is no other. */
static int32_t ask_kernel_for_cpu(const struct sampled_thread *thread)
{
    struct task_state state;
    return thread && thread->task.tid != 0 && task_read_state(&thread->task, &state) ? state.cpu : -1;
}

static void note_cpu(const struct runner *runner, struct sampled_thread *thread)
{
    thread->was_kept_off = runner->is_kept_off && runner->cpu_guard != RUNNER_NONE;
    thread->last_cpu = runner->cpu;
}

void runners_note_cpus(struct runners *runners, struct thread_list *threads, const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < runners->count; i++) {
        struct runner *runner = &runners->runners[i];
        if (runner->cpu_guard != RUNNER_NONE)
            memcpy(&runner->cpu, snapshot_guard_bytes(snapshot, runner->cpu_guard), sizeof(runner->cpu));
        /* A thread that never registered, or not any more, has a negative number there. */
        if (runner->cpu < 0)
            runner->cpu_guard = RUNNER_NONE;
        if (runner->cpu_guard == RUNNER_NONE && runner->thread != 0)
            runner->cpu = ask_kernel_for_cpu(thread_list_find(threads, runner->thread));
        struct sampled_thread *thread =
            runners->holding == HOLD_EACH && runner->gil == 0 ? thread_list_find(threads, runner->thread) : NULL;
        if (thread)
            note_cpu(runner, thread);
    }
}

/* The runner that was planned for a GIL, or for a thread that needs none. */
static uint32_t find_runner(const struct runners *runners, remote_addr gil, remote_addr thread)
{
    for (uint32_t i = 0; i < runners->count; i++) {
        const struct runner *runner = &runners->runners[i];
        if (gil != 0 ? runner->gil == gil : runner->gil == 0 && runner->thread == thread)
            return i;
    }
    return RUNNER_NONE;
}

/*
 * Whether a planned runner is the one that the copy has. The address of a thread state alone does not tell: a new
 * thread may have the memory of one that ended.
 */
static bool is_same_runner(const struct runner *runner, const struct python_gil *gil, const struct thread_list *threads)
{
    const struct sampled_thread *thread = thread_list_find(threads, gil->last_holder);
    if (thread)
        return runner->serial == thread->serial;
    /*
     * A thread that does not exist any more cannot run; that no other one took the GIL, the GIL's own words tell. An
     * interpreter that has deleted all its threads at its end leaves the GIL locked.
     */
    return runner->serial == 0 && (!gil->is_locked || threads->count == 0);
}

static bool match_gils(struct runners *runners, const struct thread_list *threads, const struct python *python)
{
    uint32_t count;
    bool is_as_planned = true;
    const struct python_gil *gils = python_gils(python, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t found = find_runner(runners, gils[i].address, 0);
        if (found != RUNNER_NONE)
            runners->runners[found].is_matched = is_same_runner(&runners->runners[found], &gils[i], threads);
        if (found == RUNNER_NONE || !runners->runners[found].is_matched)
            is_as_planned = false;
    }
    return is_as_planned;
}

bool runners_match(struct runners *runners, const struct thread_list *threads, const struct python *python)
{
    uint32_t count;
    const struct python_gil *gils = python_gils(python, &count);
    bool is_as_planned = !runners->with_gils || match_gils(runners, threads, python);
    for (uint32_t i = 0; i < threads->count; i++) {
        struct sampled_thread *thread = &threads->threads[i];
        bool needs_gil = runners->with_gils && thread->python->gil != PYTHON_NO_GIL;
        thread->gil_runner = needs_gil ? find_runner(runners, gils[thread->python->gil].address, 0) : RUNNER_NONE;
        if (gil_of(runners, thread) != PYTHON_NO_GIL || (needs_gil && thread->gil_runner == RUNNER_NONE)) {
            thread->runner = thread->gil_runner;
            continue;
        }
        thread->runner = find_runner(runners, 0, thread->address);
        if (thread->runner != RUNNER_NONE)
            runners->runners[thread->runner].is_matched = runners->runners[thread->runner].serial == thread->serial;
        else if (is_thread_pending(thread, runners->choice) && runners->count < RUNNER_LIMIT)
            is_as_planned = false;
    }
    return is_as_planned;
}

/* Whether a runner has slept since the plan was made. */
static bool has_slept_on(const struct runner *runner, const struct thread_list *threads)
{
    struct task_times times;
    struct sampled_thread *thread = runner->is_asleep ? thread_list_find(threads, runner->thread) : NULL;
    struct task_state state;
    return thread && task_read_times(&thread->task, &times) && times.runs == runner->runs &&
           task_read_state(&thread->task, &state) && !state.is_active;
}

/* Whether a runner is kept off its CPU by us, and has not left it. */
static bool is_held_off(const struct runner *runner, const struct thread_list *threads, const struct snapshot *snapshot,
                        const struct cpu_watch *watch, int own_cpu)
{
    if (!cpu_watch_is_undisturbed(watch))
        return false;
    if (runner->thread == 0 || runner->has_ended)
        return true;
    bool is_unmoved = runner->cpu_guard != RUNNER_NONE
                          ? snapshot_is_unchanged(snapshot, runner->cpu_guard)
                          : ask_kernel_for_cpu(thread_list_find(threads, runner->thread)) == runner->cpu;
    /* We are pinned, but a cpuset that changes moves us all the same. */
    return is_unmoved && runner->cpu == own_cpu && sched_getcpu() == own_cpu;
}

static bool is_stopped(const struct runners *runners, const struct runner *runner)
{
    return runner->stop != RUNNER_NONE && stop_holds(&runners->stops[runner->stop]);
}

/* Whether a thread runs that might be the one that runs this runner's thread state. */
static bool may_be_another(const struct runner *runner, const struct thread_list *threads)
{
    const struct sampled_thread *thread = runner->is_for_anybody ? thread_list_find(threads, runner->thread) : NULL;
    for (uint32_t i = 0; thread && i < threads->count; i++) {
        if (threads->threads[i].is_active && threads->threads[i].id != thread->id)
            return true;
    }
    return false;
}

bool runners_is_proved(const struct runners *runners, uint32_t index, const struct thread_list *threads,
                       const struct snapshot *snapshot, const struct cpu_watch *watch, int own_cpu)
{
    const struct runner *runner = &runners->runners[index];
    if (!runner->is_matched || runner->has_left || may_be_another(runner, threads) ||
        (runner->gil_guard != RUNNER_NONE && !snapshot_is_unchanged(snapshot, runner->gil_guard)))
        return false;
    return is_stopped(runners, runner) || is_held_off(runner, threads, snapshot, watch, own_cpu) ||
           has_slept_on(runner, threads);
}
