/* SPDX-License-Identifier: MIT */
#include "sampler/self_test.h"

#include "base/cleanup.h"
#include "call_pairs.h"
#include "profile/process_dump.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/recording_writer.h"
#include "profile/view.h"
#include "sampler/dumping.h"
#include "schedule.h"
#include "target/denial.h"
#include "target/launch.h"
#include "target/process.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

enum {
    INTERVAL_NS = 1000000, /* 1000 samples a second */
    READY_MS = 5000,       /* what the program gets to come up */
    STEP_MS = 10,          /* between looks at it, */
    WAIT_MS = 200,         /* and between looks at whether the recording is over */
};

static void count_native(const struct process_dump *dump, struct self_test_result *result)
{
    for (uint32_t i = 0; i < dump->thread_count; i++) {
        for (uint32_t k = 0; k < dump->threads[i].frame_count; k++)
            result->native_frames += dump->threads[i].frames[k].kind == FRAME_NATIVE;
    }
}

/* One reading with native frames, all of them. */
static void try_native(const struct process *process, struct self_test_result *result)
{
    cleanup_process_dump struct process_dump dump = {0};
    const struct dumping_options options = {.with_native = true, .with_all_native = true};
    result->native_error = dumping_run(process, &options, &dump);
    if (result->native_error)
        return;
    count_native(&dump, result);
    if (result->native_frames == 0)
        result->native_error = error_create(ERROR_OS, "no native frames were found");
}

/* Waits until the program is a Python that can be recorded. */
static struct error *attach(struct recording *recording, const struct process *process)
{
    uint64_t end_ns = monotonic_now_ns() + READY_MS * UINT64_C(1000000);
    for (;;) {
        struct error *error = recording_attach(recording, process);
        bool may_come = error && (error->kind == ERROR_NOT_READY || error->kind == ERROR_NOT_PYTHON);
        if (!may_come || monotonic_now_ns() >= end_ns || !process_is_running(process))
            return error;
        error_destroy(error);
        poll(NULL, 0, STEP_MS);
    }
}

static void wait_for_end(struct recording *recording)
{
    struct pollfd changes = {.fd = recording_fd(recording), .events = POLLIN};
    while (recording_state(recording) == RECORDING_RUNNING) {
        poll(&changes, 1, WAIT_MS);
        recording_take_changes(recording);
    }
}

static struct error *judge(int fd, struct self_test_result *result)
{
    cleanup_recording_file struct recording_file *file = NULL;
    cleanup_view struct view *view = NULL;
    struct call_pairs pairs;
    struct error *error = recording_file_open(fd, "the recording", &file);
    if (error) {
        close(fd);
        return error;
    }
    error = view_create(file, &(struct view_options){0}, &view);
    if (!error)
        error = call_pairs_judge(view_profile(view), &pairs);
    if (error)
        return error;
    result->ok = profile_get_info(view_profile(view))->intervals.ok;
    result->idle = profile_get_info(view_profile(view))->intervals.idle;
    result->seen = pairs.seen;
    result->impossible = pairs.impossible;
    snprintf(result->example, sizeof(result->example), "%s", pairs.example);
    return NULL;
}

/* Records the process into a file that is only in memory. */
static struct error *record(const struct process *process, uint64_t duration_ns, int fd,
                            struct self_test_result *result)
{
    cleanup_profile struct profile *profile = NULL;
    cleanup_recording_writer struct recording_writer *writer = NULL;
    cleanup_recording struct recording *recording = NULL;
    const struct recording_options options = {.interval_ns = INTERVAL_NS, .duration_ns = duration_ns};
    struct error *error = profile_create("self-test", "self-test", &profile);
    if (!error)
        error = recording_writer_create(fd, &writer);
    if (!error)
        error = recording_create(&options, profile, &recording);
    if (!error)
        error = attach(recording, process);
    if (error)
        return error;
    error = inspection_run(process, &result->inspection);
    if (error)
        return error;
    wait_for_end(recording);
    recording_stop(recording);
    try_native(process, result);
    error = recording_save(recording, process, writer);
    if (!error)
        error = recording_writer_finish(writer);
    result->progress = recording_progress(recording);
    return error;
}

static struct error *test_process(const struct process *process, uint64_t duration_ns, struct self_test_result *result)
{
    cleanup_fd int fd = memfd_create("self-test", MFD_CLOEXEC);
    if (fd < 0)
        return error_from_errno(errno, "cannot make a file in memory");
    struct error *error = record(process, duration_ns, fd, result);
    return error ? error : judge(hand_over_fd(&fd), result);
}

struct error *self_test_run(const char *python, const sigset_t *signals_for_program, uint64_t duration_ns,
                            struct self_test_result *ret)
{
    const char *const words[] = {python, "-I", "-S", "-c", call_pairs_program, NULL};
    cleanup_process struct process *process = NULL;
    pid_t child;
    *ret = (struct self_test_result){0};
    struct error *error = launch_program((char *const *)words, signals_for_program, &child);
    if (error)
        return error;
    error = process_open(NULL, process_number_of_child(NULL, child), &process);
    if (!error)
        error = test_process(process, duration_ns, ret);
    if (error && process)
        error = denial_explain(error, process);
    launch_end(child);
    return error;
}

void self_test_result_deinit(struct self_test_result *result)
{
    error_destroy(result->native_error);
    *result = (struct self_test_result){0};
}
