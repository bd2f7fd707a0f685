/* SPDX-License-Identifier: MIT */
/* Recordings written by hand, in memory, for tests of what reads them. */
#ifndef TESTS_BUILT_RECORDING_H
#define TESTS_BUILT_RECORDING_H

#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/recording_writer.h"
#include "profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A recording in the making: of one process, whose number is that of its main thread. */
struct built_recording {
    int fd;
    struct profile *profile;
    struct recording_writer *writer;
};

static inline uint32_t built_thread(struct built_recording *built, int64_t os_id, const char *name)
{
    uint32_t process_count;
    profile_processes(built->profile, &process_count);
    const struct profile_thread thread = {
        .process = process_count - 1, .os_id = os_id, .name = profile_intern(built->profile, name, strlen(name))};
    return profile_add_thread(built->profile, &thread);
}

static inline struct built_recording build_recording(const char *title, int64_t pid)
{
    struct built_recording built = {.fd = memfd_create("recording", MFD_CLOEXEC)};
    assert_null(profile_create("app", title, &built.profile));
    assert_null(recording_writer_create(built.fd, &built.writer));
    *profile_info(built.profile) = (struct profile_info){
        .title = profile_get_info(built.profile)->title, .selection = PROFILE_NONE, .interval_ns = 10000000};
    const struct profile_process process = {.pid = pid,
                                            .command_line = profile_intern(built.profile, title, strlen(title)),
                                            .python_version = PROFILE_NONE};
    profile_add_process(built.profile, &process);
    built_thread(&built, pid, "MainThread");
    return built;
}

/* The stack of functions of a.py, outermost first: "main;work". */
static inline uint32_t built_stack(struct built_recording *built, const char *functions)
{
    uint32_t node = PROFILE_ROOT;
    while (*functions) {
        size_t len = strcspn(functions, ";");
        uint32_t frame = build_frame_bytes(built->profile, functions, len, "/app/a.py", 1);
        node = profile_child(built->profile, node, frame);
        functions += len + (functions[len] == ';');
    }
    return node;
}

static inline void built_sample(struct built_recording *built, const char *functions, struct sample sample)
{
    sample.node = built_stack(built, functions);
    recording_writer_gather(built->writer, built->profile);
    recording_writer_append(built->writer, &sample, 1);
}

/* Ends what is being made, as a recording that is finished, or was cut off. */
static inline struct recording_file *built_open(struct built_recording *built, bool is_finished)
{
    struct recording_file *file;
    recording_writer_gather(built->writer, built->profile);
    assert_null(is_finished ? recording_writer_finish(built->writer) : recording_writer_write(built->writer));
    recording_writer_destroy(built->writer);
    profile_destroy(built->profile);
    assert_null(recording_file_open(built->fd, "built", &file));
    return file;
}

#endif
