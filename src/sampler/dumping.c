/* SPDX-License-Identifier: MIT */
#include "sampler/dumping.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "profile/process_dump.h"
#include "python/runtime.h"
#include "relay.h"
#include "schedule.h"
#include "session.h"
#include "short_path.h"
#include "target/process.h"

#include <string.h>

enum {
    TRY_LIMIT = 200,   /* readings before the last one is taken as it is */
    MOTION_NS = 10000, /* what the program gets to finish a call or return */
};

/* One dump that is under way. Lives in the relay's thread until the relay is done. */
struct dumping {
    const struct process *process;
    struct session *session;
    struct process_dump *dump;
    struct relay *relay;
    struct error *error;
    int tries;
};

static bool copy_frame(const struct dumping *dumping, const struct python_frame *frame, struct dump_frame *ret)
{
    const struct python_code *code = python_code(session_python(dumping->session), frame->code);
    size_t start = short_path_start(dumping->process, code->filename, code->filename_len);
    *ret = (struct dump_frame){
        .name = dump_text_copy(code->name, code->name_len),
        .filename = dump_text_copy(code->filename, code->filename_len),
        .short_filename = dump_text_copy(code->filename + start, code->filename_len - start),
        .line = frame->line,
        .is_entry = frame->is_entry,
    };
    return ret->name.bytes && ret->filename.bytes && ret->short_filename.bytes;
}

/* Copies what was found of a thread; false without memory. */
static bool copy_thread(const struct dumping *dumping, const struct sampled_thread *thread, struct dump_thread *ret)
{
    cleanup_buffer struct buffer name = {0};
    enum python_status status = thread->python->status;
    *ret = (struct dump_thread){
        .id = thread->id,
        .os_id = (uint64_t)thread->task.tid,
        .is_active = thread->is_active,
        .holds_gil = thread->python->holds_gil,
        .is_cut = thread->python->is_cut,
        .failure = status == PYTHON_OK ? NULL : python_status_text(status),
    };
    if (session_thread_name(dumping->session, thread, &name))
        ret->name = dump_text_copy(buffer_text(&name), name.len);
    uint32_t count = thread->python->frame_count;
    ret->frames = calloc(count > 0 ? count : 1, sizeof(*ret->frames));
    if (!ret->frames)
        return false;
    const struct python_frame *frames = python_frames(session_python(dumping->session));
    for (uint32_t i = 0; i < count; i++) {
        ret->frame_count = i + 1;
        if (!copy_frame(dumping, &frames[thread->python->first_frame + i], &ret->frames[i]))
            return false;
    }
    return true;
}

/* Copies all threads, oldest first. */
static struct error *copy_threads(const struct dumping *dumping, struct process_dump *ret)
{
    uint32_t count;
    struct sampled_thread *threads = session_threads(dumping->session, &count);
    ret->threads = calloc(count > 0 ? count : 1, sizeof(*ret->threads));
    if (!ret->threads)
        return error_no_memory();
    for (uint32_t i = 0; i < count; i++) {
        ret->thread_count = i + 1;
        if (!copy_thread(dumping, &threads[count - 1 - i], &ret->threads[i]))
            return error_no_memory();
    }
    return NULL;
}

/* Walks all threads. Returns whether none was caught in the middle of a call or return. */
static bool walk_threads(const struct dumping *dumping)
{
    uint32_t count;
    bool is_at_rest = true;
    struct sampled_thread *threads = session_threads(dumping->session, &count);
    for (uint32_t i = 0; i < count; i++)
        is_at_rest &= session_walk(dumping->session, &threads[i]) != PYTHON_IN_MOTION;
    return is_at_rest;
}

/* Ends with what was read if that is proved to be a snapshot, or if this is the last try. Returns the relay's answer.
 */
static int finish_sample(struct dumping *dumping, int cpu)
{
    bool is_at_rest = walk_threads(dumping);
    bool is_last = dumping->tries >= TRY_LIMIT;
    dumping->dump->is_proved = session_end_sample(dumping->session);
    if (is_last || (dumping->dump->is_proved && is_at_rest))
        return RELAY_STOP;
    return relay_sleep_until(dumping->relay, monotonic_now_ns() + MOTION_NS) ? cpu : RELAY_STOP;
}

static int take_dump(void *context, int cpu)
{
    struct dumping *dumping = context;
    int runner_cpu = cpu;
    bool is_last = ++dumping->tries >= TRY_LIMIT;
    enum sample_status status = session_begin_sample(dumping->session, cpu, &runner_cpu);
    if (status == SAMPLE_GONE) {
        dumping->error = error_create(ERROR_TARGET_GONE, "process %d has ended", dumping->process->pid);
        return RELAY_STOP;
    }
    if (status == SAMPLE_PROVED || (is_last && session_failure(dumping->session) == PYTHON_OK))
        return finish_sample(dumping, cpu);
    if (!is_last)
        return status == SAMPLE_ELSEWHERE ? runner_cpu : cpu;
    dumping->error = error_create(ERROR_BAD_DATA, "cannot read the threads of process %d: %s", dumping->process->pid,
                                  python_status_text(session_failure(dumping->session)));
    return RELAY_STOP;
}

static struct error *describe_process(const struct dumping *dumping, struct process_dump *ret)
{
    cleanup_buffer struct buffer command_line = {0};
    cleanup_free char *executable = NULL;
    char version[PYTHON_VERSION_TEXT_LEN];
    struct error *error = process_command_line(dumping->process, &command_line);
    if (!error)
        error = process_executable_path(dumping->process, &executable);
    if (error)
        return error;
    python_version_format(&python_runtime(session_python(dumping->session))->version, version);
    ret->pid = dumping->process->pid;
    ret->command_line = dump_text_copy(buffer_text(&command_line), command_line.len);
    ret->executable = dump_text_copy(executable, strlen(executable));
    ret->python_version = strdup(version);
    return ret->command_line.bytes && ret->executable.bytes && ret->python_version ? NULL : error_no_memory();
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

struct error *dumping_run(const struct process *process, struct process_dump *ret)
{
    cleanup_session struct session *session = NULL;
    cleanup_process_dump struct process_dump dump = {0};
    struct error *error = session_open(process, &session);
    if (error)
        return error;
    struct dumping dumping = {.process = process, .session = session, .dump = &dump};
    error = run_relay(&dumping);
    if (!error)
        error = describe_process(&dumping, &dump);
    if (!error)
        error = copy_threads(&dumping, &dump);
    if (error)
        return error;
    *ret = dump;
    dump = (struct process_dump){0};
    return NULL;
}
