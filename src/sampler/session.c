/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "bare_threads.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "c_stacks.h"
#include "interpreter.h"
#include "memory/snapshot.h"
#include "openers.h"
#include "python/frame_details.h"
#include "python/runtime.h"
#include "runners.h"
#include "states.h"
#include "target/departures.h"
#include "target/process_images.h"
#include "target/process_memory.h"
#include "target/stop.h"
#include "thread_title.h"

#include <stdio.h>

enum {
    TAKE_LIMIT = 3,   /* copies taken for one sample, because the runners were not who they were expected to be */
    SLOW_LEN = 4096,  /* frames of a stack that takes a millisecond or so to read */
    TRIAL_LIMIT = 50, /* walks of an untested version before it is refused */
    SPARE_FILES = 4,  /* with stops: some are opened later to be kept, and by each of our threads for a moment */
};

struct session {
    const struct process *process;
    enum thread_choice choice;
    struct process_program program;
    struct memory *memory;
    struct snapshot *snapshot;
    struct python *python;
    struct thread_area area;
    struct thread_list threads;
    struct states states;
    struct look look; /* of the current interval */
    struct runners runners;
    struct c_stacks c_stacks; /* with HOLD_EACH: copies of the sample */
    struct bare_threads bare; /* threads without a Python state, if they are wanted */

    bool holds_at_once, with_bare; /* see struct session_options */
    bool has_intervals;            /* samples are of intervals, and count: else all threads are read, once */
    bool is_judged;                /* the threads have their weights in this interval */
    bool has_stopped;              /* somebody in this interval */
    bool is_listed;                /* the list of threads is that of the last copy */
    bool is_held; /* something that was stopped is not let go for sure, until the thread of ours that did it ends */

    uint64_t avoided[CPU_LIMIT / 64]; /* a bit for each CPU on which we may not run */
    uint32_t ended_count;             /* threads that had ended when it was made */
    int own_cpu;                      /* where the sample is taken */
    struct cpu_watch watch;           /* since the sample began */
    uint64_t proved_reads;            /* remote reads that the first proof covers */
    enum python_status failure;
};

/* Whether all threads can be walked; in a program that runs, that takes some luck. */
static bool can_walk(struct python *python, struct memory *memory)
{
    uint32_t count;
    python_begin_sample(python);
    if (python_list_threads(python, memory) != PYTHON_OK)
        return false;
    struct python_thread *threads = python_threads(python, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (python_walk_thread(python, memory, &threads[i]) != PYTHON_OK)
            return false;
    }
    return python_list_status(python) == PYTHON_OK;
}

/* A version that nobody has seen work has to show that its stacks are what they have to be. */
static struct error *try_untested(struct session *session)
{
    const struct python_runtime *runtime = python_runtime(session->python);
    for (int i = 0; runtime->is_untested && !can_walk(session->python, session->memory); i++) {
        char version[PYTHON_VERSION_TEXT_LEN];
        python_version_format(&runtime->version, version);
        if (i >= TRIAL_LIMIT)
            return error_create(ERROR_UNSUPPORTED_VERSION,
                                "Python %s is not supported: it is not like the versions before it", version);
    }
    return NULL;
}

static struct error *find_python(struct session *session, const struct maps *maps)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    const struct module_opener opener = opener_of_process(session->process);
    const struct mapping *executable = process_executable_mapping(session->process, maps);
    struct error *error = interpreter_find(&opener, executable, maps, session->memory, &runtime);
    if (!error)
        error = python_create(&runtime, &session->python);
    return error ? error : try_untested(session);
}

/* Says how many threads there can be: when it begins, and when there seem to be more. */
static void limit_threads(const struct session *session)
{
    cleanup_free pid_t *ids = NULL;
    uint32_t count;
    cleanup_error struct error *error = process_thread_ids(session->process, &ids, &count);
    if (!error)
        python_limit_threads(session->python, count);
}

/*
 * Has the departures of threads that run now written down, so that not even the first look at them has to stop them.
 * What is read of a program that runs may be wrong; then they are stopped.
 */
static void expect_departures(struct session *session)
{
    struct task_state state;
    python_begin_sample(session->python);
    if (session->holds_at_once || python_list_threads(session->python, session->memory) != PYTHON_OK ||
        !thread_list_update(&session->threads, session->process, session->memory, &session->area, session->python))
        return;
    for (uint32_t i = 0; i < session->threads.count; i++) {
        struct sampled_thread *thread = &session->threads.threads[i];
        thread->is_noted = task_read_state(&thread->task, &state) && state.is_active;
        if (thread->is_noted)
            task_has_departure(&thread->task);
    }
}

struct error *session_open(const struct process *process, const struct session_options *options, struct session **ret)
{
    cleanup_session struct session *session = calloc(1, sizeof(*session));
    if (!session)
        return error_no_memory();
    session->process = process;
    session->choice = options->choice;
    session->holds_at_once = options->holds_at_once;
    session->with_bare = options->with_bare;
    session->states.process = process;
    session->states.with_idle = options->choice == THREADS_ALL;
    session->states.asks_beforehand = options->holding == HOLD_EACH;
    runners_init(&session->runners, &session->area, options->choice, options->holding, options->holds_at_once,
                 &session->c_stacks);
    struct error *error = process_read_program(process, &session->program);
    if (!error)
        error = process_memory_create(process, &session->memory);
    if (error)
        return error;
    cleanup_maps struct maps maps = {0};
    error = process_read_maps(process, &maps);
    if (!error)
        error = find_python(session, &maps);
    if (!error)
        error = snapshot_create(session->memory, &session->snapshot);
    if (!error && options->holding != HOLD_NONE)
        error = process_check_spare_files(SPARE_FILES);
    if (!error && options->holding != HOLD_NONE)
        error = stop_try(process);
    if (error)
        return error;
    if (options->holding == HOLD_EACH) {
        if (!session->holds_at_once)
            departures_prepare(true);
        c_stacks_init(&session->c_stacks, session->memory, &maps, session->program.stack_start, options->c_stack_limit);
        python_keep_anchors(session->python);
    }
    thread_area_find(process, &maps, session->memory, &session->area);
    limit_threads(session);
    if (options->holding == HOLD_EACH)
        expect_departures(session);
    *ret = hand_over(&session);
    return NULL;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    c_stacks_deinit(&session->c_stacks);
    bare_threads_deinit(&session->bare);
    thread_list_deinit(&session->threads);
    python_destroy(session->python);
    snapshot_destroy(session->snapshot);
    process_memory_destroy(session->memory);
    free(session);
}

struct python *session_python(struct session *session)
{
    return session->python;
}

struct memory *session_memory(const struct session *session)
{
    return snapshot_memory(session->snapshot);
}

enum python_status session_failure(const struct session *session)
{
    return session->failure;
}

struct sampled_thread *session_threads(struct session *session, uint32_t *ret_count)
{
    *ret_count = session->is_listed ? session->threads.count : 0;
    return session->threads.threads;
}

void session_count_gils(struct session *session, uint32_t *ret_held, uint32_t *ret_waiting)
{
    uint32_t gil_count, thread_count, held = 0, waiting = 0, holders = 0;
    const struct python_gil *gils = python_gils(session->python, &gil_count);
    const struct sampled_thread *threads = session_threads(session, &thread_count);
    for (uint32_t i = 0; i < gil_count; i++)
        held += gils[i].is_locked;
    for (uint32_t i = 0; i < thread_count; i++) {
        holders += threads[i].python->holds_gil;
        waiting += threads[i].waits_for_gil;
    }
    *ret_held = gil_count > 0 ? held : holders;
    *ret_waiting = waiting;
}

/*
 * Who counts sleeping threads, too, has to know in each sample which of them are still there. Otherwise all threads are
 * only listed again when the kernel has no more of one: to 3.10, a new one may have all the numbers of one that ended.
 */
static void choose_list(struct session *session)
{
    uint32_t ended = thread_list_count_ended(&session->threads);
    python_allow_old_list(session->python, session->choice != THREADS_ALL && ended == session->ended_count);
    session->ended_count = ended;
}

/* Lists the threads of the copy. */
static enum python_status list_threads(struct session *session)
{
    struct memory *memory = snapshot_memory(session->snapshot);
    choose_list(session);
    python_begin_sample(session->python);
    enum python_status status = python_list_threads(session->python, memory);
    bool is_same = session->is_listed && python_is_list_old(session->python);
    session->is_listed = false;
    if (status == PYTHON_OK && !is_same &&
        !thread_list_update(&session->threads, session->process, memory, &session->area, session->python))
        status = PYTHON_NO_MEMORY;
    if (status == PYTHON_BAD_THREAD && python_is_thread_limit_met(session->python))
        limit_threads(session);
    session->is_listed = status == PYTHON_OK;
    return status;
}

static enum python_status status_of_take(enum memory_status status)
{
    return status == MEMORY_FAULT ? PYTHON_BAD_MEMORY : PYTHON_GONE;
}

void session_begin_interval(struct session *session, const struct look *look)
{
    session->look = *look;
    session->has_intervals = true;
    session->states.notes_departures = session->runners.holding == HOLD_NONE;
    session->is_judged = session->has_stopped = false;
    for (uint32_t i = 0; i < session->threads.count; i++) {
        struct sampled_thread *thread = &session->threads.threads[i];
        thread->is_done = thread->is_counted = false;
        if (thread->is_noted)
            task_watch_departures(&thread->task);
    }
    snapshot_begin_interval(session->snapshot);
    states_begin_interval(&session->states, &session->threads, look->slept_ns);
}

/*
 * Makes known the weights of the threads that are listed at the first time in an interval, and of those whose states
 * were left open then.
 */
static void judge(struct session *session)
{
    if (!session->has_intervals)
        return;
    for (uint32_t i = 0; i < session->threads.count; i++) {
        struct sampled_thread *thread = &session->threads.threads[i];
        if (!thread->has_state || (session->is_judged && !thread->is_open))
            continue;
        lateness_judge(&session->look, thread);
        thread->is_open = false;
    }
    session->is_judged = true;
}

/* For a further sample in the same interval, which is later, and perhaps on another CPU. */
static void judge_again(struct session *session)
{
    states_revise(&session->states, &session->threads, session->look.deadline_ns);
    lateness_judge_again(&session->look, &session->threads);
}

/* How one copy came out. */
enum take_result {
    TAKE_DONE,
    TAKE_AGAIN, /* its runners are not those that were guarded against */
    TAKE_FAILED,
};

/* Says whom the next copy has to be guarded against, as far as that is known. */
static void plan(struct session *session)
{
    runners_clear(&session->runners);
    if (session->is_listed)
        runners_plan(&session->runners, &session->threads, session->python);
    snapshot_set_guards(session->snapshot, session->runners.guards, session->runners.guard_count);
}

static void let_go(struct session *session)
{
    session->is_held |= !runners_let_go(&session->runners);
}

static bool is_avoided(const struct session *session, int32_t cpu)
{
    return cpu < CPU_LIMIT && session->avoided[cpu / 64] >> cpu % 64 & 1;
}

/*
 * A thread that runs is held on its own CPU, where that takes the least time: one that is on another is left for a
 * sample there, if we may go there.
 */
static void choose_whom_to_stop(struct session *session)
{
    for (uint32_t i = 0; i < session->runners.count; i++) {
        struct runner *runner = &session->runners.runners[i];
        bool is_here = runner->is_asleep || runner->is_urgent || runner->cpu == session->own_cpu;
        if (!is_here && runner->cpu >= 0 && !is_avoided(session, runner->cpu))
            runner->is_to_stop = false;
    }
}

/* Stops whom the plan is about. The watch begins anew, as that gives up the CPU. */
static void stop_threads(struct session *session)
{
    bool with_c_stacks = session->runners.holding == HOLD_EACH;
    struct c_stacks *c_stacks = &session->c_stacks;
    if (with_c_stacks && !session->holds_at_once) {
        choose_whom_to_stop(session);
        runners_spare_kept_off(&session->runners, &session->threads, session->own_cpu);
    }
    runners_stop(&session->runners, &session->threads);
    session->has_stopped |= session->runners.stop_count > 0;
    cpu_watch_begin(&session->watch);
    if (!with_c_stacks)
        return;
    runners_order_c_stacks(&session->runners, &session->threads);
    snapshot_set_pieces(session->snapshot, c_stacks->pieces, c_stacks->piece_count);
}

static enum take_result take_copy_once(struct session *session)
{
    let_go(session);
    if (session->is_listed) {
        states_read(&session->states, &session->threads, session->python);
        judge(session);
    }
    plan(session);
    if (session->runners.holding != HOLD_NONE)
        stop_threads(session);
    enum memory_status status = snapshot_take(session->snapshot);
    if (status == MEMORY_FAULT && session->runners.guard_count > 0) {
        /* A runner has ended, and its stack, with the thread's own data, is unmapped. */
        session->is_listed = false;
        return TAKE_AGAIN;
    }
    if (status == MEMORY_OK) {
        c_stacks_receive(&session->c_stacks);
        runners_note_cpus(&session->runners, &session->threads, session->snapshot);
    }
    session->failure = status == MEMORY_OK ? list_threads(session) : status_of_take(status);
    if (session->failure != PYTHON_OK)
        return TAKE_FAILED;
    states_settle(&session->states, &session->threads, session->python);
    judge(session);
    bool is_as_planned = runners_match(&session->runners, &session->threads, session->python);
    return is_as_planned ? TAKE_DONE : TAKE_AGAIN;
}

static enum take_result take_copy(struct session *session)
{
    enum take_result result = TAKE_AGAIN;
    session->failure = PYTHON_OK;
    for (int take = 0; result == TAKE_AGAIN && take < TAKE_LIMIT; take++)
        result = take_copy_once(session);
    return result;
}

static bool is_proved(const struct session *session, uint32_t runner)
{
    return runners_is_proved(&session->runners, runner, &session->threads, session->snapshot, &session->watch,
                             session->own_cpu);
}

void session_avoid_cpu(struct session *session, int cpu)
{
    if (cpu >= 0 && cpu < CPU_LIMIT)
        session->avoided[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

/*
 * Where a sample of the threads that are left has to be taken, or where they are stopped soonest; -1: there are none,
 * or nobody knows. Not where one would keep us off that can be stopped.
 */
static int32_t find_next_cpu(const struct session *session)
{
    int32_t avoided = -1;
    for (uint32_t i = 0; i < session->threads.count; i++) {
        const struct sampled_thread *thread = &session->threads.threads[i];
        if (!is_thread_pending(thread, session->choice) || thread->runner == RUNNER_NONE)
            continue;
        uint32_t index = thread->gil_runner != RUNNER_NONE ? thread->gil_runner : thread->runner;
        const struct runner *runner = &session->runners.runners[index];
        int32_t cpu = runner->is_urgent ? -1 : runner->cpu;
        if (cpu >= 0 && !is_avoided(session, cpu))
            return cpu;
        if (cpu >= 0)
            avoided = cpu;
    }
    return avoided;
}

/* Says which threads the copy is proved for, and whether there are any that were asked for. */
static bool mark_readable(struct session *session)
{
    bool proved[RUNNER_LIMIT] = {0};
    bool is_any_proved = false, is_any_pending = false;
    for (uint32_t i = 0; i < session->runners.count; i++)
        proved[i] = is_proved(session, i);
    for (uint32_t i = 0; i < session->threads.count; i++) {
        struct sampled_thread *thread = &session->threads.threads[i];
        bool is_pending = is_thread_pending(thread, session->choice);
        thread->round = session->runners.holding == HOLD_NONE && thread->walked > SLOW_LEN;
        thread->is_readable = is_pending && thread->runner != RUNNER_NONE && proved[thread->runner] &&
                              (thread->gil_runner == RUNNER_NONE || proved[thread->gil_runner]);
        is_any_proved |= thread->is_readable;
        is_any_pending |= is_pending;
    }
    return is_any_proved || !is_any_pending;
}

/* The broken state of the interpreter is only worth telling if no known runner can have worked at it. */
static enum sample_status judge_failure(const struct session *session, int *ret_cpu)
{
    for (uint32_t i = 0; i < session->runners.count; i++) {
        const struct runner *runner = &session->runners.runners[i];
        if (runner->cpu >= 0 && runner->cpu != session->own_cpu && !runner->is_urgent) {
            *ret_cpu = runner->cpu;
            return SAMPLE_ELSEWHERE;
        }
    }
    return cpu_watch_is_undisturbed(&session->watch) ? SAMPLE_UNREADABLE : SAMPLE_TORN;
}

enum sample_status session_begin_sample(struct session *session, int own_cpu, int *ret_cpu)
{
    session->own_cpu = own_cpu;
    for (uint32_t i = 0; i < session->threads.count; i++)
        session->threads.threads[i].is_readable = false;
    if (session->is_judged)
        judge_again(session);
    cpu_watch_begin(&session->watch);
    enum take_result result = take_copy(session);
    if (session->failure == PYTHON_GONE)
        return SAMPLE_GONE;
    if (result == TAKE_FAILED)
        return judge_failure(session, ret_cpu);
    if (!session->is_listed)
        return SAMPLE_TORN;
    session->proved_reads = snapshot_memory(session->snapshot)->remote_reads;
    bool is_readable = mark_readable(session);
    /* The rest is done in the copies; what they lack can be proved as long as we keep the thread off its CPU. */
    if (session->runners.holding == HOLD_EACH && !session->holds_at_once)
        let_go(session);
    int32_t next_cpu = find_next_cpu(session);
    if (next_cpu >= 0)
        *ret_cpu = next_cpu;
    if (is_readable)
        return SAMPLE_PROVED;
    return next_cpu >= 0 && next_cpu != own_cpu ? SAMPLE_ELSEWHERE : SAMPLE_TORN;
}

enum python_status session_walk(struct session *session, struct sampled_thread *thread)
{
    thread->python->is_asleep = thread->has_state && !thread->is_active;
    enum python_status status = python_walk_thread(session->python, snapshot_memory(session->snapshot), thread->python);
    thread->walked = thread->python->frame_count;
    return status;
}

bool session_is_in_round(const struct sampled_thread *thread, int round)
{
    return thread->round == round;
}

void session_end_sample(struct session *session)
{
    /* Without a further read there is nothing that the first proof did not cover. */
    bool is_covered = snapshot_memory(session->snapshot)->remote_reads == session->proved_reads;
    for (uint32_t i = 0; !is_covered && i < session->threads.count; i++) {
        struct sampled_thread *thread = &session->threads.threads[i];
        thread->is_readable = thread->is_readable && is_proved(session, thread->runner) &&
                              (thread->gil_runner == RUNNER_NONE || is_proved(session, thread->gil_runner));
    }
    let_go(session);
}

const struct c_stack *session_c_stack(const struct session *session, const struct sampled_thread *thread)
{
    return c_stacks_find(&session->c_stacks, thread->serial);
}

static void forget_handovers(struct thread_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        list->threads[i].joined_copy = 0;
}

void session_forget_handovers(struct session *session)
{
    forget_handovers(&session->threads);
    forget_handovers(&session->bare.list);
}

bool session_bare_threads(struct session *session, struct sampled_thread **ret_threads, uint32_t *ret_count)
{
    bool has_memory = !session->with_bare || bare_threads_look(&session->bare, session->process, &session->threads);
    *ret_threads = session->bare.list.threads;
    *ret_count = session->bare.list.count;
    return has_memory;
}

void session_read_bare(struct session *session, struct sampled_thread *thread)
{
    session->is_held |= !bare_threads_copy(thread, &session->c_stacks);
}

void session_rest(struct session *session)
{
    for (uint32_t i = 0; i < session->threads.count; i++) {
        session->threads.threads[i].is_noted = false;
        task_forget_departures(&session->threads.threads[i].task);
    }
}

bool session_let_go(struct session *session)
{
    let_go(session);
    bool is_held = session->is_held;
    session->is_held = false;
    return !is_held;
}

bool session_is_pending(const struct session *session, int *ret_cpu)
{
    bool is_pending = false;
    for (uint32_t i = 0; i < session->threads.count; i++)
        is_pending |= is_thread_pending(&session->threads.threads[i], session->choice);
    int32_t next_cpu = find_next_cpu(session);
    if (next_cpu >= 0)
        *ret_cpu = next_cpu;
    return is_pending;
}

int session_next_cpu(const struct session *session)
{
    struct task_state state;
    if (session->runners.holding != HOLD_EACH || !session->has_stopped)
        return -1;
    for (uint32_t i = 0; i < session->threads.count; i++) {
        const struct sampled_thread *thread = &session->threads.threads[i];
        if (thread->is_counted && thread->is_active && task_read_state(&thread->task, &state) && state.cpu >= 0)
            return state.cpu;
    }
    return -1;
}

bool session_is_kept_off(const struct session *session, int cpu)
{
    for (uint32_t i = 0; i < session->runners.count; i++) {
        const struct runner *runner = &session->runners.runners[i];
        if (runner->is_urgent && runner->cpu == cpu)
            return true;
    }
    return false;
}

uint32_t session_owed_intervals(const struct session *session)
{
    uint32_t owed = 0;
    for (uint32_t i = 0; i < session->threads.count; i++) {
        uint32_t owed_to_thread = session->threads.threads[i].owed_now;
        owed = owed_to_thread > owed ? owed_to_thread : owed;
    }
    return owed;
}

/* What the kernel calls a thread; false when that is nothing. */
static bool read_kernel_name(const struct process *process, pid_t tid, struct buffer *buffer)
{
    char file[sizeof("task/-2147483648/comm")];
    snprintf(file, sizeof(file), "task/%d/comm", tid);
    cleanup_error struct error *error = process_read_file(process, file, buffer);
    if (!error && buffer->len > 0 && buffer->data[buffer->len - 1] == '\n')
        buffer->len--;
    return !error && buffer->len > 0;
}

bool session_thread_name(struct session *session, const struct sampled_thread *thread, struct buffer *buffer)
{
    if (thread->address == 0)
        return read_kernel_name(session->process, thread->task.tid, buffer);
    bool is_main = thread->task.tid == session->process->pid && thread->python->interpreter_id == 0;
    return thread_title_find(session->python, snapshot_memory(session->snapshot), thread->python, is_main, buffer);
}

uint64_t session_reads(const struct session *session)
{
    return session->memory->remote_reads;
}

bool session_is_current(const struct session *session)
{
    struct process_program program;
    cleanup_error struct error *error = process_read_program(session->process, &program);
    return !error && process_program_equals(&program, &session->program);
}
