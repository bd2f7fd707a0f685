/* SPDX-License-Identifier: MIT */
/*
 * attach-often PID COUNT record|dump [blocking|native]: attaches to a process and leaves it, so many times, as `pyspyc
 * record` does until there is a sample, or as `pyspyc dump` does, but in one process. Prints ten times (each time, when
 * there are fewer) how many cycles there were, and what we hold then: "500 descriptors 8 threads 1 kB 9216".
 */
#include "base/cleanup.h"
#include "profile/process_dump.h"
#include "profile/profile.h"
#include "sampler/dumping.h"
#include "sampler/recording.h"
#include "target/guard.h"
#include "target/process.h"

#include <dirent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INTERVAL_NS = 1000000,
    WAIT_MS = 1,       /* between looks for a sample, */
    WAIT_LIMIT = 1000, /* and how many there are: a busy machine is late */
    TOLD = 10,
};

struct cycle {
    pid_t pid;
    struct recording_options recording;
    struct dumping_options dumping;
};

static struct error *record(const struct cycle *cycle)
{
    cleanup_process struct process *process = NULL;
    cleanup_profile struct profile *profile = NULL;
    cleanup_recording struct recording *recording = NULL;
    struct error *error = process_open(NULL, cycle->pid, &process);
    if (!error)
        error = profile_create("root", "title", &profile);
    if (!error)
        error = recording_create(&cycle->recording, profile, &recording);
    if (!error)
        error = recording_attach(recording, process);
    for (int i = 0; !error && i < WAIT_LIMIT && recording_progress(recording).samples == 0; i++)
        poll(NULL, 0, WAIT_MS);
    if (error)
        return error;
    recording_stop(recording);
    return recording_progress(recording).samples > 0 ? NULL : error_create(ERROR_OS, "there is no sample");
}

static struct error *dump(const struct cycle *cycle)
{
    cleanup_process struct process *process = NULL;
    cleanup_process_dump struct process_dump dump = {0};
    struct error *error = process_open(NULL, cycle->pid, &process);
    return error ? error : dumping_run(process, &cycle->dumping, &dump);
}

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -3; /* ".", ".." and the folder's own */
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static long read_status(const char *field)
{
    char line[256];
    long value = -1;
    cleanup_file FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field), NULL, 10);
    }
    return value;
}

static struct error *run(const struct cycle *cycle, struct error *(*once)(const struct cycle *cycle), long count)
{
    for (long i = 1; i <= count; i++) {
        struct error *error = once(cycle);
        if (error)
            return error;
        if (i % ((count + TOLD - 1) / TOLD) == 0) {
            printf("%ld descriptors %d threads %ld kB %ld\n", i, count_descriptors(), read_status("Threads:"),
                   read_status("VmRSS:"));
            fflush(stdout);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5 || atol(argv[2]) < 1) {
        fprintf(stderr, "usage: attach-often PID COUNT record|dump [blocking|native]\n");
        return 2;
    }
    bool is_blocking = argc == 5 && strcmp(argv[4], "blocking") == 0;
    bool with_native = argc == 5 && strcmp(argv[4], "native") == 0;
    const struct cycle cycle = {
        .pid = (pid_t)atol(argv[1]),
        .recording = {.interval_ns = INTERVAL_NS, .is_blocking = is_blocking, .with_native = with_native},
        .dumping = {.is_blocking = is_blocking, .with_native = with_native},
    };
    if (is_blocking || with_native)
        guard_start();
    cleanup_error struct error *error = run(&cycle, strcmp(argv[3], "dump") == 0 ? dump : record, atol(argv[2]));
    guard_end();
    if (error)
        fprintf(stderr, "attach-often: %s\n", error->sentence);
    return error != NULL;
}
