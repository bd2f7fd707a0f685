/* SPDX-License-Identifier: MIT */
#include "sampler/dumping.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "c_stacks.h"
#include "dump_builder.h"
#include "dump_variables.h"
#include "dump_waits.h"
#include "dump_weave.h"
#include "native_stacks.h"
#include "profile/process_dump.h"
#include "python/frame_details.h"
#include "python/runtime.h"
#include "relay.h"
#include "schedule.h"
#include "session.h"
#include "sources.h"
#include "target/process.h"

#include <string.h>

enum {
    TRY_LIMIT = 200,            /* readings before the last one is taken as it is */
    NATIVE_TRY_LIMIT = 20,      /* of them, for the C stack of a thread that does not come to its stop, */
    TOGETHER_TRY_LIMIT = 3,     /* and those in which the others wait for it */
    TIME_LIMIT_NS = 1000000000, /* after which the next reading is the last one */
    MOTION_NS = 10000,          /* what the program gets to finish a call or return */
};

/* One dump that is under way. Lives in the relay's thread until the relay is done. */
struct dumping {
    const struct process *process;
    struct session *session;
    struct process_dump *dump;
    struct dump_waits *waits;
    struct relay *relay;
    struct error *error;
    int tries;
    uint64_t end_ns;              /* when there is no time for another try */
    bool is_last;                 /* the current one */
    struct native_stacks *native; /* NULL: no C frames are wanted */
    struct dump_builder builder;
};

/* Puts the C frames of a thread between its Python frames, if there is a copy of its C stack; false without memory. */
static bool weave_native(const struct dumping *dumping, const struct sampled_thread *thread, struct dump_thread *copy)
{
    const struct c_stack *c_stack = session_c_stack(dumping->session, thread);
    const struct python_frame *first = python_frames(session_python(dumping->session)) + thread->python->first_frame;
    if (!dumping->native || !c_stack)
        return true;
    const struct native_stack stack = c_stack_view(c_stack);
    struct frame_merge_input unwound;
    native_stacks_unwind(dumping->native, &stack, &unwound);
    return dump_weave(copy, dumping->native, first, &unwound);
}

/* Copies what was found of a thread; false without memory. */
static bool copy_thread(struct dumping *dumping, const struct sampled_thread *thread, struct dump_thread *ret)
{
    ret->os_id = (uint64_t)thread->task.tid;
    ret->is_active = thread->is_active;
    ret->is_stopped = thread->is_stopped;
    ret->waits_for_gil = thread->waits_for_gil;
    return dump_builder_copy(&dumping->builder, thread->python, ret);
}

static bool append_thread(struct dumping *dumping, struct sampled_thread *thread, uint32_t place)
{
    struct dump_thread *copy = dump_builder_append(&dumping->builder, place);
    if (!copy)
        return false;
    thread->is_done = true;
    if (!copy_thread(dumping, thread, copy) || !weave_native(dumping, thread, copy))
        return false;
    dump_waits_read(dumping->waits, dumping->session, thread, copy);
    return true;
}

/*
 * Whether a thread that slept when the copy was made sleeps until it is given the GIL. If it has only begun to since,
 * it has run no Python code meanwhile, so that the copy is still right.
 */
static bool waits_for_gil(const struct dumping *dumping, const struct sampled_thread *thread)
{
    uint32_t count;
    remote_addr futex;
    const struct python_gil *gils = python_gils(session_python(dumping->session), &count);
    return thread->python->gil < count && !thread->is_active && !thread->python->holds_gil && thread->task.tid > 0 &&
           task_read_futex(&thread->task, &futex) && python_gil_is_awaited(&gils[thread->python->gil], futex);
}

/*
 * Whether a thread has no copy of its C stack because it has to wait for a CPU, and so may have one a little later. So
 * does one that sleeps: it wakes up to stop.
 */
static bool is_worth_waiting(const struct dumping *dumping, const struct sampled_thread *thread)
{
    return dumping->native && !dumping->is_last && thread->task.tid > 0 && !thread->has_ended &&
           dumping->tries < NATIVE_TRY_LIMIT && !session_c_stack(dumping->session, thread);
}

/* The last reading is taken as it is. */
static void take_unproved(struct dumping *dumping)
{
    uint32_t count;
    struct sampled_thread *threads = session_threads(dumping->session, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (threads[i].is_done || threads[i].is_readable)
            continue;
        dumping->dump->is_proved = false;
        threads[i].is_readable = true;
    }
}

/* Walks the readable threads of a round, and reads their variables; false when there are none. */
static bool walk_round(struct dumping *dumping, int round)
{
    uint32_t count;
    bool is_any = false;
    struct sampled_thread *threads = session_threads(dumping->session, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!threads[i].is_readable || !session_is_in_round(&threads[i], round))
            continue;
        threads[i].waits_for_gil = waits_for_gil(dumping, &threads[i]);
        session_walk(dumping->session, &threads[i]);
        dump_variables_read(dumping->builder.variables, session_python(dumping->session),
                            session_memory(dumping->session), threads[i].python);
        is_any = true;
    }
    return is_any;
}

/* Whether a thread is better copied later, as it was caught in the middle of a call. */
static bool has_to_wait(const struct dumping *dumping, const struct sampled_thread *thread)
{
    return (thread->python->status == PYTHON_IN_MOTION && !dumping->is_last) || is_worth_waiting(dumping, thread);
}

/* Threads that share a GIL are shown as of one moment, if that does not take too long: whether one has to wait. */
static bool wait_together(const struct dumping *dumping, const struct sampled_thread *threads, uint32_t count)
{
    bool has_one_to_wait = false;
    for (uint32_t i = 0; i < count; i++)
        has_one_to_wait |=
            !threads[i].is_done && threads[i].python->gil != PYTHON_NO_GIL && has_to_wait(dumping, &threads[i]);
    return has_one_to_wait && dumping->tries < TOGETHER_TRY_LIMIT;
}

/* Copies the readable threads of a round. */
static bool copy_round(struct dumping *dumping, int round)
{
    uint32_t count;
    struct sampled_thread *threads = session_threads(dumping->session, &count);
    bool waits_together = wait_together(dumping, threads, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!threads[i].is_readable || !session_is_in_round(&threads[i], round) ||
            (waits_together && threads[i].python->gil != PYTHON_NO_GIL) || has_to_wait(dumping, &threads[i]))
            continue;
        if (!append_thread(dumping, &threads[i], i))
            return false;
    }
    return true;
}

/* Walks and copies what is readable. */
static struct error *copy_readable(struct dumping *dumping)
{
    bool has_memory = true;
    dump_variables_begin(dumping->builder.variables);
    if (dumping->is_last)
        take_unproved(dumping);
    dumping->builder.is_unsteady = dumping->is_last;
    for (int round = 0; has_memory && round < SESSION_ROUNDS; round++) {
        if (!walk_round(dumping, round) && round > 0)
            continue;
        if (!dumping->is_last)
            session_end_sample(dumping->session);
        has_memory = copy_round(dumping, round);
    }
    return !has_memory || dumping->builder.variables->failed ? error_no_memory() : NULL;
}

/* Adds the threads without a Python state, if they are wanted. */
static struct error *append_bare(struct dumping *dumping)
{
    struct sampled_thread *threads;
    uint32_t count;
    bool has_memory = session_bare_threads(dumping->session, &threads, &count);
    for (uint32_t i = 0; has_memory && i < count; i++) {
        cleanup_buffer struct buffer name = {0};
        session_read_bare(dumping->session, &threads[i]);
        if (!session_c_stack(dumping->session, &threads[i]))
            continue;
        has_memory = append_thread(dumping, &threads[i], 0);
        if (has_memory && session_thread_name(dumping->session, &threads[i], &name))
            dumping->dump->threads[dumping->dump->thread_count - 1].name = dump_text_copy(buffer_text(&name), name.len);
    }
    return has_memory ? NULL : error_no_memory();
}

/* Lets the program run on for a moment. Returns the relay's answer. */
static int try_later(const struct dumping *dumping, int cpu)
{
    return relay_sleep_until(dumping->relay, monotonic_now_ns() + MOTION_NS) ? cpu : RELAY_STOP;
}

/* Copies what can be read here. Returns the relay's answer. */
static int finish_sample(struct dumping *dumping, int cpu)
{
    int next_cpu = cpu;
    dumping->error = copy_readable(dumping);
    bool is_pending = session_is_pending(dumping->session, &next_cpu);
    if (dumping->error || !is_pending || dumping->is_last) {
        if (!dumping->error)
            dumping->error = append_bare(dumping);
        return RELAY_STOP;
    }
    return next_cpu != cpu ? next_cpu : try_later(dumping, cpu);
}

/* One sample. Returns the relay's answer. */
static int take_sample(struct dumping *dumping, int cpu)
{
    int next_cpu = cpu;
    uint32_t count;
    struct sampled_thread *threads = session_threads(dumping->session, &count);
    for (uint32_t i = 0; i < count; i++)
        threads[i].has_state = threads[i].is_done;
    dumping->is_last = ++dumping->tries >= TRY_LIMIT || monotonic_now_ns() >= dumping->end_ns;
    enum sample_status status = session_begin_sample(dumping->session, cpu, &next_cpu);
    if (status == SAMPLE_GONE) {
        dumping->error = error_create(ERROR_TARGET_GONE, "process %d has ended", dumping->process->pid);
        return RELAY_STOP;
    }
    if (status == SAMPLE_PROVED || (dumping->is_last && session_failure(dumping->session) == PYTHON_OK)) {
        dumping->dump->is_proved &= status == SAMPLE_PROVED;
        return finish_sample(dumping, cpu);
    }
    if (!dumping->is_last) {
        /* What was stopped has to run on for that. */
        session_end_sample(dumping->session);
        return status == SAMPLE_ELSEWHERE ? next_cpu : try_later(dumping, cpu);
    }
    dumping->error = error_create(ERROR_BAD_DATA, "cannot read the threads of process %d: %s", dumping->process->pid,
                                  python_status_text(session_failure(dumping->session)));
    return RELAY_STOP;
}

static int take_dump(void *context, int cpu)
{
    struct dumping *dumping = context;
    int next_cpu = take_sample(dumping, cpu);
    if (session_let_go(dumping->session) || relay_renew(dumping->relay))
        return next_cpu;
    if (!dumping->error)
        dumping->error = error_create(ERROR_OS, "cannot start a thread");
    return RELAY_STOP;
}

static struct error *describe_process(const struct dumping *dumping, struct process_dump *ret)
{
    cleanup_buffer struct buffer command_line = {0};
    cleanup_free char *executable = NULL;
    struct error *error = process_command_line(dumping->process, &command_line);
    if (!error)
        error = process_executable_path(dumping->process, &executable);
    if (error)
        return error;
    ret->command_line = dump_text_copy(buffer_text(&command_line), command_line.len);
    ret->executable = dump_text_copy(executable, strlen(executable));
    return ret->command_line.bytes && ret->executable.bytes ? NULL : error_no_memory();
}

/* Reads the process on the relay's threads, until it is done. */
static struct error *run_relay(struct dumping *dumping)
{
    cleanup_relay struct relay *relay = NULL;
    struct error *error = relay_create(take_dump, dumping, &relay);
    if (error)
        return error;
    dumping->relay = relay;
    error = relay_start(relay);
    if (error)
        return error;
    relay_wait(relay);
    return dumping->error;
}

static enum holding choose_holding(const struct dumping_options *options)
{
    if (options->with_native)
        return HOLD_EACH;
    return options->is_blocking ? HOLD_RUNNING : HOLD_NONE;
}

static struct error *read_process(const struct process *process, const struct dumping_options *options,
                                  struct process_dump *ret)
{
    cleanup_session struct session *session = NULL;
    cleanup_dump_variables struct dump_variables variables = {0};
    cleanup_native_stacks struct native_stacks *native = NULL;
    cleanup_process_dump struct process_dump dump = {0};
    const struct session_options wanted = {
        .choice = THREADS_ALL,
        .holding = choose_holding(options),
        .holds_at_once = true,
        .with_bare = options->with_all_native,
        .c_stack_limit = C_STACK_DUMP_LIMIT,
    };
    struct error *error = session_open(process, &wanted, &session);
    if (!error && options->with_native)
        error = native_stacks_of_process(process, &python_runtime(session_python(session))->version,
                                         options->with_all_native, &native);
    if (!error)
        error = dump_variables_init(&variables, session_python(session), options->text_limit);
    if (error)
        return error;
    python_keep_tables(session_python(session));
    dump.pid = process->pid;
    dump.is_proved = true;
    cleanup_dump_waits struct dump_waits waits = {0};
    dump_waits_init(&waits, process);
    struct dumping dumping = {
        .process = process,
        .session = session,
        .dump = &dump,
        .waits = &waits,
        .native = native,
        .end_ns = monotonic_now_ns() + TIME_LIMIT_NS,
        .builder = {.process = process,
                    .python = session_python(session),
                    .memory = session_memory(session),
                    .dump = &dump,
                    .variables = &variables},
    };
    error = run_relay(&dumping);
    if (!error)
        error = describe_process(&dumping, &dump);
    if (error)
        return error;
    dump_waits_finish(&waits, &dump);
    error = sources_add(process, &dump);
    if (!error)
        error = dump_builder_finish(&dumping.builder);
    if (error)
        return error;
    *ret = dump;
    dump = (struct process_dump){0};
    return NULL;
}

static const struct dump_frame *innermost_python_frame(const struct dump_thread *thread)
{
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        if (thread->frames[i].kind == FRAME_PYTHON)
            return &thread->frames[i];
    }
    return NULL;
}

/* Whether a thread that sleeps is where it was at an earlier reading, as far as Python knows. */
static bool is_where_it_was(const struct dump_thread *thread, const struct dump_thread *before)
{
    const struct dump_frame *frame = innermost_python_frame(thread), *frame_before = innermost_python_frame(before);
    if (thread->os_id != before->os_id || thread->id != before->id || thread->is_active || !frame || !frame_before)
        return false;
    return frame->line == frame_before->line && frame->name.len == frame_before->name.len &&
           memcmp(frame->name.bytes, frame_before->name.bytes, frame->name.len) == 0;
}

/* What threads waited for before they were stopped is what they wait for, where they still do. */
static void take_waits(struct process_dump *dump, struct process_dump *before)
{
    for (uint32_t i = 0; i < dump->thread_count; i++) {
        struct dump_thread *thread = &dump->threads[i];
        for (uint32_t j = 0; j < before->thread_count && thread->wait.kind == WAIT_NONE; j++) {
            if (!is_where_it_was(thread, &before->threads[j]))
                continue;
            thread->wait = before->threads[j].wait;
            thread->waits_for_gil = before->threads[j].waits_for_gil;
            before->threads[j].wait = (struct dump_wait){0};
        }
    }
}

/* To stop a thread wakes it up, so what all of them wait for is read before that. */
struct error *dumping_run(const struct process *process, const struct dumping_options *options,
                          struct process_dump *ret)
{
    const struct dumping_options unstopped = {0};
    cleanup_process_dump struct process_dump before = {0};
    if (options->with_native) {
        cleanup_error struct error *error = read_process(process, &unstopped, &before);
        if (error)
            before = (struct process_dump){0};
        process_dump_keep_innermost(&before);
    }
    struct error *error = read_process(process, options, ret);
    if (!error)
        take_waits(ret, &before);
    return error;
}
