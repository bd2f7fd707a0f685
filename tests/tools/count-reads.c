/* SPDX-License-Identifier: MIT */
/*
 * count-reads PID RATE SECONDS: samples a process, and prints how many times its memory was read and how many intervals
 * were looked at, "12000 10000". Reads are system calls; how much each of them brings does not matter.
 */
#include "base/cleanup.h"
#include "profile/profile.h"
#include "sampler/recording.h"
#include "target/process.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static struct error *count_reads(pid_t pid, uint64_t interval_ns, uint64_t duration_ns)
{
    const struct recording_options options = {.interval_ns = interval_ns, .duration_ns = duration_ns};
    cleanup_process struct process *process = NULL;
    cleanup_profile struct profile *profile = NULL;
    cleanup_recording struct recording *recording = NULL;
    struct error *error = process_open(NULL, pid, &process);
    if (!error)
        error = profile_create("root", "title", &profile);
    if (!error)
        error = recording_create(&options, profile, &recording);
    if (!error)
        error = recording_attach(recording, process);
    if (error)
        return error;
    struct pollfd end = {.fd = recording_fd(recording), .events = POLLIN};
    while (recording_state(recording) == RECORDING_RUNNING)
        poll(&end, 1, -1);
    recording_stop(recording);
    const struct recording_progress progress = recording_progress(recording);
    printf("%" PRIu64 " %" PRIu64 "\n", progress.reads, progress.intervals - progress.missed);
    return error;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: count-reads PID RATE SECONDS\n");
        return 2;
    }
    uint64_t second = 1000000000;
    cleanup_error struct error *error =
        count_reads((pid_t)atol(argv[1]), second / (uint64_t)atol(argv[2]), second * (uint64_t)atol(argv[3]));
    if (error)
        fprintf(stderr, "count-reads: %s\n", error->sentence);
    return error != NULL;
}
