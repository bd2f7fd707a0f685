/* SPDX-License-Identifier: MIT */
/* Recordings written by hand, for tests of what reads samples. */
#ifndef TESTS_RECORDING_BUILDER_H
#define TESTS_RECORDING_BUILDER_H

#include "formats/formats.h"
#include "profile/members.h"
#include "profile/profile.h"
#include "profile/recording_file.h"
#include "profile/recording_writer.h"
#include "profile/sample.h"
#include "profile/view.h"
#include "profile_builder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A recording, and a view of all of it. */
struct built_recording {
    struct recording_file *file;
    struct view *view;
};

static inline struct profile *build_recorded_profile(uint64_t interval_ns, uint64_t duration_ns)
{
    struct profile *profile = NULL;
    if (profile_create("app", "python app.py", &profile))
        abort();
    profile_info(profile)->interval_ns = interval_ns;
    profile_info(profile)->duration_ns = duration_ns;
    return profile;
}

static inline uint32_t build_recorded_process(struct profile *profile, int64_t pid, const char *command_line)
{
    const struct profile_process process = {
        .pid = pid,
        .command_line = profile_intern(profile, command_line, strlen(command_line)),
        .python_version = PROFILE_NONE,
    };
    return profile_add_process(profile, &process);
}

/* A thread whose kernel's number is its process's is the main one. */
static inline uint32_t build_recorded_thread(struct profile *profile, uint32_t process, int64_t os_id, const char *name)
{
    uint32_t count;
    const struct profile_thread thread = {
        .process = process,
        .os_id = os_id,
        .name = profile_intern(profile, name, strlen(name)),
        .is_main = os_id == profile_processes(profile, &count)[process].pid,
    };
    return profile_add_thread(profile, &thread);
}

/* The node of a function's frame; first_line is that of the line's hundred. */
static inline uint32_t build_call(struct profile *profile, uint32_t caller, const char *name, const char *file,
                                  int32_t line)
{
    const struct profile_frame frame = {
        .name = profile_intern(profile, name, strlen(name)),
        .file = profile_intern(profile, file, strlen(file)),
        .line = line,
        .first_line = line / 100 * 100,
    };
    return profile_child(profile, caller, profile_intern_frame(profile, &frame));
}

/* Takes the profile over. */
static inline struct built_recording build_recording(struct profile *profile, const struct sample *samples,
                                                     uint32_t count)
{
    struct built_recording built = {0};
    struct recording_writer *writer = NULL;
    const struct view_options options = {0};
    int fd = memfd_create("recording", MFD_CLOEXEC);
    if (fd < 0 || recording_writer_create(fd, &writer))
        abort();
    recording_writer_gather(writer, profile);
    recording_writer_append(writer, samples, count);
    if (recording_writer_finish(writer) || recording_file_open(fd, "test", &built.file) ||
        view_create(built.file, &options, &built.view))
        abort();
    recording_writer_destroy(writer);
    profile_destroy(profile);
    return built;
}

static inline void built_recording_deinit(struct built_recording *built)
{
    view_destroy(built->view);
    recording_file_close(built->file);
}

/* What a format makes of it. The caller frees the text. */
static inline char *write_built(const struct built_recording *built, const char *format,
                                const struct format_options *options)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out || format_write(format_by_name(format), built->view, options, out) || fclose(out) != 0)
        abort();
    return text;
}

/*
 * A thread that calls a library, and through another one the kernel; a library whose source is known, at two lines:
 *
 *     load  read [libc.so.6]  read [kernel];   step [fast.c:12];   step [fast.c:14];   solve [libsolve.so]
 */
static inline struct built_recording build_native_calls(void)
{
    enum { MS = 1000000 };
    struct profile *profile = build_recorded_profile(MS, 4 * MS);
    uint32_t process = build_recorded_process(profile, 10, "app.py");
    uint32_t thread = build_recorded_thread(profile, process, 10, "MainThread");
    uint32_t load = build_call(profile, PROFILE_ROOT, "load", "/app/a.py", 101);
    uint32_t call = profile_child(profile, load, build_native(profile, "read", "/usr/lib/libc.so.6", 0));
    profile_set_short_file(profile, profile_intern(profile, "/usr/lib/libc.so.6", 18),
                           profile_intern(profile, "libc.so.6", 9));
    const struct sample samples[] = {
        {100, thread, profile_child(profile, call, build_kernel(profile, "read")), 1, SAMPLE_ACTIVE},
        {MS + 100, thread, profile_child(profile, load, build_native(profile, "step", "/src/fast.c", 12)), 1,
         SAMPLE_ACTIVE},
        {2 * MS + 100, thread, profile_child(profile, load, build_native(profile, "step", "/src/fast.c", 14)), 1,
         SAMPLE_ACTIVE},
        {3 * MS + 100, thread, profile_child(profile, load, build_native(profile, "solve", "/lib/libsolve.so", 0)), 1,
         SAMPLE_ACTIVE},
    };
    return build_recording(profile, samples, sizeof(samples) / sizeof(samples[0]));
}

/*
 * Two threads for 6 ms, in intervals of 1 ms:
 *
 *     main     load GC   .    .    main .
 *     worker   run  run  .    .    run  .        the last one idle
 */
static inline struct built_recording build_two_threads(void)
{
    enum { MS = 1000000 };
    struct profile *profile = build_recorded_profile(MS, 6 * MS);
    profile_info(profile)->start_unix_ns = 1700000000123456789;
    uint32_t process = build_recorded_process(profile, 10, "app.py");
    uint32_t main_thread = build_recorded_thread(profile, process, 10, "MainThread");
    uint32_t worker = build_recorded_thread(profile, process, 11, "\"w\"<\n");
    uint32_t main_node = build_call(profile, PROFILE_ROOT, "main", "/app/a.py", 101);
    uint32_t load = build_call(profile, main_node, "load", "/app/a.py", 205);
    uint32_t collecting = profile_child(profile, load, build_group(profile, FRAME_MARK, "<GC>"));
    uint32_t run = build_call(profile, PROFILE_ROOT, "run", "/usr/lib/python3.11/threading.py", 301);
    const struct sample samples[] = {
        {500000, main_thread, load, 1, SAMPLE_ACTIVE | SAMPLE_HAS_GIL},
        {1200000, main_thread, collecting, 1, SAMPLE_ACTIVE | SAMPLE_HAS_GIL},
        {1500000, worker, run, 2, SAMPLE_ACTIVE | SAMPLE_GIL_WAIT},
        {4700000, main_thread, main_node, 1, SAMPLE_ACTIVE},
        {4800000, worker, run, 1, 0},
    };
    return build_recording(profile, samples, sizeof(samples) / sizeof(samples[0]));
}

#endif
