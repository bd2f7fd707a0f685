/* SPDX-License-Identifier: MIT */
/*
 * forgetful-record LIMIT PID SECONDS FILE: records a process 1000 times a second into FILE, as `pyspyc record` does,
 * but forgets stacks as soon as they take more than LIMIT bytes, which takes hours there. Saves ten times a second.
 */
#include "base/cleanup.h"
#include "profile/profile.h"
#include "profile/recording_writer.h"
#include "sampler/recording.h"
#include "target/process.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    INTERVAL_NS = 1000000,
    SAVE_MS = 100,
};

static struct error *record(const struct recording_options *options, pid_t pid, int fd)
{
    cleanup_process struct process *process = NULL;
    cleanup_profile struct profile *profile = NULL;
    cleanup_recording struct recording *recording = NULL;
    cleanup_recording_writer struct recording_writer *writer = NULL;
    struct error *error = process_open(NULL, pid, &process);
    if (!error)
        error = profile_create("root", "title", &profile);
    if (!error)
        error = recording_writer_create(fd, &writer);
    if (!error)
        error = recording_create(options, profile, &recording);
    if (!error)
        error = recording_attach(recording, process);
    while (!error && recording_state(recording) == RECORDING_RUNNING) {
        poll(NULL, 0, SAVE_MS);
        error = recording_save(recording, process, writer);
    }
    if (error)
        return error;
    recording_stop(recording);
    error = recording_save(recording, process, writer);
    return error ? error : recording_writer_finish(writer);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: forgetful-record LIMIT PID SECONDS FILE\n");
        return 2;
    }
    const struct recording_options options = {
        .interval_ns = INTERVAL_NS,
        .table_limit = (uint64_t)atol(argv[1]),
        .duration_ns = (uint64_t)atol(argv[3]) * 1000000000U,
    };
    cleanup_fd int fd = open(argv[4], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    cleanup_error struct error *error =
        fd < 0 ? error_create(ERROR_OS, "cannot write %s", argv[4]) : record(&options, (pid_t)atol(argv[2]), fd);
    if (error)
        fprintf(stderr, "forgetful-record: %s\n", error->sentence);
    return error != NULL;
}
