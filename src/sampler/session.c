/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "image/loaded_image.h"
#include "memory/snapshot.h"
#include "python/runtime.h"
#include "target/cpu.h"
#include "target/process_images.h"
#include "target/process_memory.h"
#include "target/thread_area.h"
#include "thread_list.h"

#include <sched.h>
#include <string.h>

enum {
    GUARD_GIL = 0,
    GUARD_CPU = 1,
    TAKE_LIMIT = 3, /* copies taken for one sample, because the runner was not who it was expected to be */
};

struct session {
    const struct process *process;
    struct process_program program;
    struct memory *memory;
    struct snapshot *snapshot;
    struct python *python;
    struct python_gil gil;
    struct thread_area area;
    struct thread_list threads;

    remote_addr runner;     /* thread state of the last holder of the GIL */
    bool is_guarded;        /* the runner's CPU number is among the guards */
    bool is_listed;         /* the list of threads is that of the last copy */
    bool has_runner;        /* the runner exists, so that where it is matters */
    int32_t runner_cpu;     /* where the runner was when the sample began; -1: there is none that could run */
    int own_cpu;            /* where the sample is taken */
    struct cpu_watch watch; /* since the sample began */
    uint64_t proved_reads;  /* remote reads that the first proof covers */
    enum python_status failure;
};

/* Opens the executable and libpython, where there is one; the one that counts comes last. */
static struct error *open_images(const struct process *process, const struct maps *maps, struct loaded_image images[2],
                                 size_t *ret_count)
{
    const struct mapping *mappings[] = {
        process_executable_mapping(process, maps),
        process_library_mapping(maps, "libpython"),
    };
    struct error *first_error = NULL;
    size_t count = 0;
    for (size_t i = 0; i < array_size(mappings); i++) {
        if (!mappings[i])
            continue;
        struct error *error = process_open_image(process, maps, mappings[i], &images[count]);
        if (!error)
            count++;
        else if (!first_error)
            first_error = error;
        else
            error_destroy(error);
    }
    *ret_count = count;
    if (count > 0 || !first_error) {
        error_destroy(first_error);
        return NULL;
    }
    return first_error;
}

static struct error *find_runtime(const struct process *process, const struct maps *maps, struct memory *memory,
                                  struct python_runtime *ret)
{
    struct loaded_image images[2] = {0};
    size_t count;
    struct error *error = open_images(process, maps, images, &count);
    if (!error)
        error = python_runtime_find(images, count, memory, ret);
    for (size_t i = 0; i < array_size(images); i++)
        loaded_image_deinit(&images[i]);
    return error;
}

static struct error *find_python(struct session *session, const struct maps *maps)
{
    cleanup_python_runtime struct python_runtime runtime = {0};
    struct error *error = find_runtime(session->process, maps, session->memory, &runtime);
    if (error)
        return error;
    if (!python_runtime_is_ready(&runtime, session->memory))
        return error_create(ERROR_NOT_READY, "the Python interpreter is not up yet");
    error = python_create(&runtime, &session->python);
    if (error)
        return error;
    if (python_find_gil(session->python, session->memory, &session->gil) != PYTHON_OK)
        return error_create(ERROR_NOT_READY, "the Python interpreter is not up yet");
    return NULL;
}

struct error *session_open(const struct process *process, struct session **ret)
{
    cleanup_session struct session *session = calloc(1, sizeof(*session));
    if (!session)
        return error_no_memory();
    session->process = process;
    session->runner_cpu = -1;
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
    if (error)
        return error;
    thread_area_find(process, &maps, session->memory, &session->area);
    *ret = hand_over(&session);
    return NULL;
}

void session_close(struct session *session)
{
    if (!session)
        return;
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

enum python_status session_failure(const struct session *session)
{
    return session->failure;
}

struct sampled_thread *session_threads(struct session *session, uint32_t *ret_count)
{
    *ret_count = session->is_listed ? session->threads.count : 0;
    return session->threads.threads;
}

/* The kernel's word for where the runner is; without rseq, or before the runner is known, there is no other. */
static int32_t ask_kernel_for_cpu(const struct sampled_thread *runner)
{
    struct task_state state;
    return runner && runner->task.stat >= 0 && task_read_state(&runner->task, &state) ? state.cpu : -1;
}

static void set_guards(struct session *session, const struct sampled_thread *runner)
{
    session->is_guarded = runner && session->area.has_cpu_id;
    const struct snapshot_guard guards[] = {
        [GUARD_GIL] = {session->gil.address, session->gil.len},
        [GUARD_CPU] = {runner ? runner->id + (uint64_t)session->area.cpu_id_offset : 0, sizeof(int32_t)},
    };
    snapshot_set_guards(session->snapshot, guards, session->is_guarded ? 2 : 1);
}

/* Lists the threads of the copy. */
static enum python_status list_threads(struct session *session)
{
    struct memory *memory = snapshot_memory(session->snapshot);
    python_begin_sample(session->python);
    enum python_status status = python_list_threads(session->python, memory);
    session->is_listed = false;
    if (status == PYTHON_OK &&
        !thread_list_update(&session->threads, session->process, memory, &session->area, session->python))
        status = PYTHON_NO_MEMORY;
    session->is_listed = status == PYTHON_OK;
    return status;
}

static enum python_status status_of_take(enum memory_status status)
{
    return status == MEMORY_FAULT ? PYTHON_BAD_MEMORY : PYTHON_GONE;
}

/* What one copy says about the runner. */
enum take_result {
    TAKE_DONE,  /* the copy is guarded by the right runner, or needs none */
    TAKE_AGAIN, /* the runner is another one than was guarded against */
    TAKE_FAILED,
};

static enum take_result take_copy_once(struct session *session)
{
    const struct sampled_thread *runner = thread_list_find(&session->threads, session->runner);
    /* The address alone does not tell: a new thread may have the memory of one that ended. */
    uint32_t guarded = runner ? runner->serial : 0;
    set_guards(session, runner);
    session->has_runner = false;
    session->runner_cpu = session->is_guarded ? -1 : ask_kernel_for_cpu(runner);
    enum memory_status status = snapshot_take(session->snapshot);
    if (status == MEMORY_FAULT && session->is_guarded) {
        /* The runner has ended, and its stack, with the thread's own data, is unmapped. */
        session->runner = 0;
        return TAKE_AGAIN;
    }
    if (status == MEMORY_OK && session->is_guarded)
        memcpy(&session->runner_cpu, snapshot_guard_bytes(session->snapshot, GUARD_CPU), sizeof(int32_t));
    session->failure = status == MEMORY_OK ? list_threads(session) : status_of_take(status);
    if (session->failure != PYTHON_OK)
        return TAKE_FAILED;
    bool is_locked;
    remote_addr holder =
        python_last_gil_holder(session->python, snapshot_guard_bytes(session->snapshot, GUARD_GIL), &is_locked);
    session->runner = holder;
    runner = thread_list_find(&session->threads, holder);
    session->has_runner = runner != NULL;
    if (runner)
        return runner->serial == guarded ? TAKE_DONE : TAKE_AGAIN;
    /*
     * A thread that does not exist any more cannot run; that no other one took the GIL, the GIL's own words tell. An
     * interpreter that has deleted all its threads at its end leaves the GIL locked.
     */
    return is_locked && session->threads.count > 0 ? TAKE_AGAIN : TAKE_DONE;
}

static enum take_result take_copy(struct session *session)
{
    enum take_result result = TAKE_AGAIN;
    session->failure = PYTHON_OK;
    for (int take = 0; result == TAKE_AGAIN && take < TAKE_LIMIT; take++)
        result = take_copy_once(session);
    return result;
}

/* Whether nothing that matters ran since the sample began. */
static bool is_proved(struct session *session)
{
    if (!snapshot_is_unchanged(session->snapshot) || !cpu_watch_is_undisturbed(&session->watch))
        return false;
    if (!session->has_runner)
        return true;
    int32_t cpu = session->runner_cpu;
    if (!session->is_guarded)
        cpu = ask_kernel_for_cpu(thread_list_find(&session->threads, session->runner));
    /* We are pinned, but a cpuset that changes moves us all the same. */
    return session->runner_cpu == session->own_cpu && cpu == session->own_cpu && sched_getcpu() == session->own_cpu;
}

static void read_states(struct session *session)
{
    for (uint32_t i = 0; i < session->threads.count; i++) {
        struct sampled_thread *thread = &session->threads.threads[i];
        struct task_state state;
        if (thread->task.stat < 0)
            thread->is_active = thread->python->holds_gil;
        else
            thread->is_active = task_read_state(&thread->task, &state) && state.is_active;
    }
}

enum sample_status session_begin_sample(struct session *session, int own_cpu, int *ret_cpu)
{
    session->own_cpu = own_cpu;
    cpu_watch_begin(&session->watch);
    enum take_result result = take_copy(session);
    if (session->failure == PYTHON_GONE)
        return SAMPLE_GONE;
    if (session->runner_cpu >= 0 && session->runner_cpu != own_cpu) {
        *ret_cpu = session->runner_cpu;
        return SAMPLE_ELSEWHERE;
    }
    if (result == TAKE_AGAIN || !is_proved(session))
        return SAMPLE_TORN;
    if (result == TAKE_FAILED)
        return SAMPLE_UNREADABLE;
    session->proved_reads = snapshot_memory(session->snapshot)->remote_reads;
    read_states(session);
    return SAMPLE_PROVED;
}

enum python_status session_walk(struct session *session, struct sampled_thread *thread)
{
    return python_walk_thread(session->python, snapshot_memory(session->snapshot), thread->python);
}

bool session_end_sample(struct session *session)
{
    /* Without a further read there is nothing that the first proof did not cover. */
    return snapshot_memory(session->snapshot)->remote_reads == session->proved_reads || is_proved(session);
}

bool session_thread_name(struct session *session, const struct sampled_thread *thread, struct buffer *buffer)
{
    if (python_thread_name(session->python, snapshot_memory(session->snapshot), thread->id, buffer))
        return true;
    buffer_clear(buffer);
    /* Until threading is imported nobody has a name, but the main thread is to have that one. */
    if (thread->task.tid == session->process->pid)
        buffer_append_text(buffer, "MainThread");
    return buffer->len > 0;
}

bool session_is_current(const struct session *session)
{
    struct process_program program;
    cleanup_error struct error *error = process_read_program(session->process, &program);
    return !error && process_program_equals(&program, &session->program);
}
